"""How the repulsion of a map on itself is computed: pair by pair, or through a grid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch

from gradus.kernels.spline_grid import convolve, interpolate, spread
from gradus.kernels.student_repulsion import repulsion
from gradus.kernels.tree_repulsion import tree_repulsion
from gradus.tsne.mesh import mesh_over
from gradus.tsne.spectrum import Rule, spectrum

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.tsne.mesh import Mesh

# chosen from the force error in docs/derivations/tsne.md: below that of three-point interpolation on cells of one unit
SPACING = 0.45
ORDER = 4
# below this the kernel's peak is too sharp for that spacing
SHARPEST_DOF = 0.7
# up to how many points all pairs are faster than the grid, when a pair takes a division and when it takes a power
FEW = 7_000
FEW_WITH_POWERS = 800
# the same for the tree in three dimensions, and how coarse that may be: as exact as the grid in the plane, or more
FEW_IN_SPACE = 4_000
OPENING = 0.5


class Repulsion(Protocol):
    """A way to sum w_ij (1 + d_ij^2 / a)^(-1) (y_i - y_j) over all pairs of a map."""

    def __call__(self, embedding: Tensor) -> tuple[Tensor, float]:
        """Return the sums for every point, (samples, dimensions), and Z = sum_(k != l) w_kl."""


@dataclass(frozen=True)
class ExactRepulsion:
    """All pairs, in any number of dimensions; the cost grows with the square of the number of points."""

    dof: float

    def __call__(self, embedding: Tensor) -> tuple[Tensor, float]:
        """Return the repulsive sums and Z."""
        forces, potential = repulsion(embedding, embedding, self.dof)
        return forces, ordered_sum(potential) - len(embedding)


@dataclass(frozen=True)
class TreeRepulsion:
    """Far points taken together in a tree of cubes, in three dimensions.

    A map in space is far emptier than one in the plane: 17,500 digits span 170 units on each side and more,
    for which a grid as fine as the plane's would take 50 million nodes.
    """

    dof: float
    opening: float = OPENING

    def __call__(self, embedding: Tensor) -> tuple[Tensor, float]:
        """Return the repulsive sums and Z."""
        forces, potential = tree_repulsion(embedding, embedding, self.dof, self.opening)
        return forces, ordered_sum(potential) - len(embedding)


@dataclass(frozen=True)
class GridRepulsion:
    """One charge per point and one pair of Fourier transforms, in one or two dimensions.

    With the potential phi(y) = sum_j (1 + |y - y_j|^2 / a)^(-a) the repulsive sum is -1/2 grad phi(y_i), whatever a
    is, and Z = sum_i phi(y_i) - n. The gradient is that of the splines, so it belongs to this Z exactly. Points far
    outside the rest are summed pair by pair.

    References
    ----------
    docs/derivations/tsne.md; Linderman et al. 2019 for the use of a grid; Essmann et al. 1995 for the splines
    """

    rule: Rule

    def __call__(self, embedding: Tensor) -> tuple[Tensor, float]:
        """Return the repulsive sums and Z."""
        plane = in_plane(embedding)
        mesh = mesh_over(plane, self.rule.spacing, self.rule.order)
        if mesh.covers_all:
            forces, potential = self._through_grid(plane, mesh)
        else:
            forces, potential = self._in_two_parts(plane, mesh, mesh.contains(plane))
        return forces[:, : embedding.shape[1]].contiguous(), ordered_sum(potential) - len(plane)

    def _through_grid(self, plane: Tensor, mesh: Mesh) -> tuple[Tensor, Tensor]:
        places = mesh.places(plane)
        rule = Rule(self.rule.dof, mesh.spacing, mesh.order)
        transform = spectrum(rule, *mesh.shape).to(plane)
        charges = spread(places, mesh.shape, mesh.order)
        potential, slopes = interpolate(convolve(charges, transform), places, mesh.order)
        return slopes.mul_(-0.5 / mesh.spacing), potential

    def _in_two_parts(self, plane: Tensor, mesh: Mesh, inside: Tensor) -> tuple[Tensor, Tensor]:
        core, outliers = plane[inside], plane[~inside]
        forces = torch.empty_like(plane)
        potential = torch.empty(len(plane), dtype=torch.float64, device=plane.device)
        near_forces, near_potential = self._through_grid(core, mesh)
        far_forces, far_potential = repulsion(core, outliers, self.rule.dof)
        forces[inside], potential[inside] = near_forces + far_forces, near_potential + far_potential
        forces[~inside], potential[~inside] = repulsion(outliers, plane, self.rule.dof)
        return forces, potential


def repulsion_for(embedding: Tensor, dof: float) -> Repulsion:
    """Return the way that is fastest for a map of this size.

    Examples
    --------
    >>> repulsion_for(torch.zeros(100, 2), dof=1.0)
    ExactRepulsion(dof=1.0)
    """
    samples, dimensions = embedding.shape
    few = FEW_IN_SPACE if dimensions == 3 else FEW
    if samples <= (few if dof == 1 else FEW_WITH_POWERS):
        return ExactRepulsion(dof)
    if dimensions == 3:
        return TreeRepulsion(dof)
    return GridRepulsion(Rule(dof, SPACING * math.sqrt(min(1.0, dof / SHARPEST_DOF)), ORDER))


def ordered_sum(values: Tensor) -> float:
    """Return the sum of a vector in an order that does not depend on the number of threads."""
    return float(values.cpu().numpy().sum(dtype="float64"))


def in_plane(embedding: Tensor) -> Tensor:
    """Return a map on a line as one in the plane: the distances are the same."""
    return embedding if embedding.shape[1] == 2 else torch.nn.functional.pad(embedding, (0, 1))
