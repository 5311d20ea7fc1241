"""The largest absolute value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.penalties.checks import indicator, positive_step, ratio, strength_checked
from gradus.penalties.row_wise import as_row, most
from gradus.penalties.simplex import onto_simplex

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class LInf:
    """The penalty h(x) = strength * max_i |x_i|, which makes the largest entries equal.

    Cost of the prox: a sort, O(n log n).

    Parameters
    ----------
    strength : not negative

    Raises
    ------
    InputError : if ``strength`` is negative or not finite

    References
    ----------
    Parikh & Boyd 2014, Proximal Algorithms, section 6.5.2

    Examples
    --------
    >>> import torch
    >>> LInf(2.0).value(torch.tensor([3.0, -0.5])).item()
    6.0
    >>> LInf(1.0).prox(torch.tensor([3.0, -2.5, 1.0]), step=1.0)
    tensor([ 2.2500, -2.2500,  1.0000])
    """

    strength: float

    def __post_init__(self) -> None:
        strength_checked("LInf", self.strength)

    def value(self, point: Tensor) -> Tensor:
        """Return strength * max_i |x_i|, a float64 scalar."""
        return self.values_of_rows(as_row(point)).sum()

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return v - P(v), P the projection onto the l1 ball of radius ``step * strength``: v clipped where it is."""
        return self.prox_of_rows(as_row(point), step).reshape(point.shape)

    def values_of_rows(self, points: Tensor) -> Tensor:
        """Return the value of each row, (rows,)."""
        return self.strength * most(points.double().abs()).clamp_min(0.0)

    def prox_of_rows(self, points: Tensor, step: float) -> Tensor:
        """Return the prox of each row."""
        threshold = positive_step(step) * self.strength
        size = points.double().abs()
        if threshold == 0.0:
            return points.clone()
        kept = size - onto_simplex(size, threshold)
        kept = kept.where(size.sum(dim=1, keepdim=True) > threshold, 0.0)
        return points.sign() * kept.to(points.dtype)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return 0 where sum_i |v_i| <= strength, else infinity."""
        return indicator(point, self.gauge(point) <= 1.0)

    def gauge(self, point: Tensor) -> float:
        """Return sum_i |v_i| / strength, the dual norm over the strength."""
        return ratio(point.double().abs().sum().item(), self.strength)
