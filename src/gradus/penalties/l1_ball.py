"""Entries whose absolute values sum to at most a given number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.penalties.checks import ROUNDING, largest, positive_checked, positive_step, scalar
from gradus.penalties.row_wise import as_row, row_indicator
from gradus.penalties.simplex import onto_simplex

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class L1Ball:
    """The penalty h(x) = 0 where sum_i |x_i| <= radius, else infinity.

    Cost of the projection: a sort, O(n log n).

    Parameters
    ----------
    radius : positive

    Raises
    ------
    InputError : if ``radius`` is not positive or not finite

    References
    ----------
    Duchi, Shalev-Shwartz, Singer & Chandra 2008, Efficient projections onto the l1-ball, section 4

    Examples
    --------
    >>> import torch
    >>> L1Ball(1.0).prox(torch.tensor([3.0, -2.5]), step=1.0)
    tensor([ 0.7500, -0.2500])
    >>> L1Ball(1.0).value(torch.tensor([0.5, -0.2])).item()
    0.0
    """

    radius: float

    def __post_init__(self) -> None:
        positive_checked("L1Ball's radius", self.radius)

    def value(self, point: Tensor) -> Tensor:
        """Return 0 in the ball and within rounding errors of it, else infinity."""
        return self.values_of_rows(as_row(point)).sum()

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return the nearest point of the ball: the absolute values projected onto the simplex, with their signs."""
        return self.prox_of_rows(as_row(point), step).reshape(point.shape)

    def values_of_rows(self, points: Tensor) -> Tensor:
        """Return the value of each row, (rows,)."""
        return row_indicator(points.double().abs().sum(dim=1) <= self.radius * (1.0 + ROUNDING))

    def prox_of_rows(self, points: Tensor, step: float) -> Tensor:
        """Return the nearest point of the ball to each row."""
        positive_step(step)
        size = points.abs()
        inside = size.double().sum(dim=1, keepdim=True) <= self.radius
        return points.where(inside, points.sign() * onto_simplex(size, self.radius))

    def conjugate(self, point: Tensor) -> Tensor:
        """Return radius * max_i |v_i|."""
        return scalar(point, self.radius * max(largest(point.abs()), 0.0))

    def gauge(self, point: Tensor) -> float:
        """Return 0, the conjugate being finite everywhere."""
        return 0.0
