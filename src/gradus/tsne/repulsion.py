"""How the repulsion of a map on itself is computed: pair by pair, or through a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gradus.kernels.student_repulsion import repulsion

if TYPE_CHECKING:
    from torch import Tensor


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


def repulsion_for(embedding: Tensor, dof: float) -> Repulsion:
    """Return the way that is fastest for a map of this size."""
    return ExactRepulsion(dof)


def ordered_sum(values: Tensor) -> float:
    """Return the sum of a vector in an order that does not depend on the number of threads."""
    return float(values.cpu().numpy().sum(dtype="float64"))
