"""The sum of absolute values of entries that stay between two bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.core.errors import InputError
from gradus.penalties.checks import ROUNDING, indicator, largest, positive_metric, positive_step, strength_checked
from gradus.penalties.soft_threshold import soft_threshold

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class BoxedL1:
    """The penalty h(x) = strength * sum_i |x_i| where all x_i are in [low, high], else infinity.

    Cost of each method: O(n).

    Parameters
    ----------
    strength : not negative
    low, high : finite, low <= 0 <= high

    Raises
    ------
    InputError : if a number is outside its range

    References
    ----------
    Parikh & Boyd 2014, Proximal Algorithms, sections 6.2.4 and 6.5.2: of one variable, the minimiser in an interval of
    a convex function is the nearest point to its free minimiser

    Examples
    --------
    >>> import torch
    >>> BoxedL1(2.0, low=-1.0, high=1.0).value(torch.tensor([1.0, -0.5])).item()
    3.0
    >>> BoxedL1(1.0, low=-1.0, high=1.0).prox(torch.tensor([3.0, -1.5]), step=1.0)
    tensor([ 1.0000, -0.5000])
    """

    strength: float
    low: float
    high: float

    def __post_init__(self) -> None:
        strength_checked("BoxedL1", self.strength)
        if not -math.inf < self.low <= 0 <= self.high < math.inf:
            raise InputError(f"BoxedL1's bounds are {self.low} and {self.high}; expected low <= 0 <= high, both finite")

    def value(self, point: Tensor) -> Tensor:
        """Return strength * sum_i |x_i|, a float64 scalar; infinity outside the bounds."""
        wide = point.double()
        excess = max(largest(wide) - self.high, largest(-wide) + self.low)
        inside = excess <= ROUNDING * max(self.high, -self.low)
        return self.strength * wide.abs().sum() + indicator(point, inside)

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Soft-threshold at ``step * strength``, then clip."""
        return soft_threshold(point, positive_step(step) * self.strength).clamp(self.low, self.high)

    def prox_in_metric(self, point: Tensor, metric: Tensor) -> Tensor:
        """Soft-threshold each entry at strength / metric_i, then clip."""
        return soft_threshold(point, self.strength / positive_metric(metric)).clamp(self.low, self.high)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return sum_i high * max(v_i - strength, 0) - low * max(-v_i - strength, 0)."""
        wide = point.double()
        above = (wide - self.strength).clamp_min(0.0).sum()
        below = (-wide - self.strength).clamp_min(0.0).sum()
        return self.high * above - self.low * below

    def gauge(self, point: Tensor) -> float:
        """Return 0, the conjugate being finite everywhere."""
        return 0.0
