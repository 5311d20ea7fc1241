"""Points whose Euclidean norm is at most a given number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.penalties.checks import ROUNDING, positive_checked, positive_step
from gradus.penalties.row_wise import as_row, row_indicator

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class L2Ball:
    """The penalty h(x) = 0 where |x| <= radius, else infinity; of a matrix the Frobenius norm.

    Cost of each method: O(n).

    Parameters
    ----------
    radius : positive

    Raises
    ------
    InputError : if ``radius`` is not positive or not finite

    References
    ----------
    Parikh & Boyd 2014, Proximal Algorithms, section 6.5.1

    Examples
    --------
    >>> L2Ball(1.0).prox(torch.tensor([3.0, -4.0]), step=1.0)
    tensor([ 0.6000, -0.8000])
    >>> L2Ball(1.0).value(torch.tensor([0.5, -0.2])).item()
    0.0
    """

    radius: float

    def __post_init__(self) -> None:
        positive_checked("L2Ball's radius", self.radius)

    def value(self, point: Tensor) -> Tensor:
        """Return 0 in the ball and within rounding errors of it, else infinity."""
        return self.values_of_rows(as_row(point)).sum()

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return v min(1, radius / |v|)."""
        return self.prox_of_rows(as_row(point), step).reshape(point.shape)

    def values_of_rows(self, points: Tensor) -> Tensor:
        """Return the value of each row, (rows,)."""
        norms: Tensor = torch.linalg.vector_norm(points.double(), dim=1)
        return row_indicator(norms <= self.radius * (1.0 + ROUNDING))

    def prox_of_rows(self, points: Tensor, step: float) -> Tensor:
        """Return the nearest point of the ball to each row."""
        positive_step(step)
        wide = points.double()
        norms = torch.linalg.vector_norm(wide, dim=1, keepdim=True)
        scale: Tensor = self.radius / norms.clamp_min(self.radius)
        return (wide * scale).to(points.dtype)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return radius * |v|."""
        return self.radius * point.double().square().sum().sqrt()

    def gauge(self, point: Tensor) -> float:
        """Return 0, the conjugate being finite everywhere."""
        return 0.0
