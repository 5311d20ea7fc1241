"""The repulsion that a map which stays as it is exerts on any point of the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gradus.kernels.spline_grid import convolve, interpolate, spread
from gradus.kernels.student_repulsion import repulsion
from gradus.tsne.mesh import mesh_over
from gradus.tsne.repulsion import GridRepulsion, in_plane, repulsion_for
from gradus.tsne.spectrum import Rule, spectrum

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.tsne.mesh import Mesh


class Field(Protocol):
    """A way to sum w_ij (1 + d_ij^2 / a)^(-1) (y_i - s_j) over all points s of a map, for any points y."""

    def __call__(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sums, (samples, dimensions), and the potentials sum_j w_ij, (samples,), float64."""


@dataclass(frozen=True)
class ExactField:
    """Every point of the map ``sources`` (others, dimensions), one by one."""

    sources: Tensor
    dof: float

    def __call__(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return the repulsive sums and the potentials."""
        return repulsion(points, self.sources, self.dof)


@dataclass(frozen=True)
class GridField:
    """The potential of the map on a grid, computed once and read wherever a point is.

    Points off the grid are summed one by one, so it never matters for a point which others are asked about with it.
    """

    sources: Tensor
    mesh: Mesh
    potential: Tensor
    exact: ExactField

    @classmethod
    def of(cls, sources: Tensor, rule: Rule) -> GridField:
        """Put the charges of ``sources`` (others, 1 or 2) on a grid and solve for their potential."""
        plane = in_plane(sources)
        mesh = mesh_over(plane, rule.spacing, rule.order)
        inside = mesh.contains(plane)
        charges = spread(mesh.places(plane[inside]), mesh.shape, mesh.order)
        transform = spectrum(Rule(rule.dof, mesh.spacing, mesh.order), *mesh.shape).to(plane)
        return cls(plane[~inside], mesh, convolve(charges, transform), ExactField(plane, rule.dof))

    def __call__(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return the repulsive sums and the potentials."""
        plane = in_plane(points)
        forces, potential = repulsion(plane, self.sources, self.exact.dof)
        inside = self.mesh.contains(plane)
        values, slopes = interpolate(self.potential, self.mesh.places(plane[inside]), self.mesh.order)
        forces[inside] += slopes * (-0.5 / self.mesh.spacing)
        potential[inside] += values
        forces[~inside], potential[~inside] = self.exact(plane[~inside])
        return forces[:, : points.shape[1]].contiguous(), potential


def field_of(sources: Tensor, dof: float) -> Field:
    """Return the way that suits a map of this size, whatever the number of points that will be asked about."""
    chosen = repulsion_for(sources, dof)
    return GridField.of(sources, chosen.rule) if isinstance(chosen, GridRepulsion) else ExactField(sources, dof)
