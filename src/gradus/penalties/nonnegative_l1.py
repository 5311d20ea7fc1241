"""The sum of the entries, which may not be negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.penalties.checks import (
    ROUNDING,
    indicator,
    largest,
    positive_metric,
    positive_step,
    ratio,
    strength_checked,
)

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class NonnegativeL1:
    """The penalty h(x) = strength * sum_i x_i where all x_i >= 0, else infinity.

    Cost of each method: O(n).

    Parameters
    ----------
    strength : not negative

    Raises
    ------
    InputError : if ``strength`` is negative or not finite

    References
    ----------
    Parikh & Boyd 2014, Proximal Algorithms, sections 6.2.4 and 6.5.2

    Examples
    --------
    >>> import torch
    >>> NonnegativeL1(2.0).value(torch.tensor([3.0, 0.5])).item()
    7.0
    >>> NonnegativeL1(1.0).prox(torch.tensor([3.0, -2.0]), step=1.0)
    tensor([2., 0.])
    """

    strength: float

    def __post_init__(self) -> None:
        strength_checked("NonnegativeL1", self.strength)

    def value(self, point: Tensor) -> Tensor:
        """Return strength * sum_i x_i, a float64 scalar; infinity where an entry is negative."""
        wide = point.double()
        return self.strength * wide.abs().sum() + indicator(point, largest(-wide) <= ROUNDING * largest(wide.abs()))

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return max(v_i - step * strength, 0)."""
        return (point - positive_step(step) * self.strength).clamp_min(0.0)

    def prox_in_metric(self, point: Tensor, metric: Tensor) -> Tensor:
        """Return max(v_i - strength / metric_i, 0)."""
        return (point - self.strength / positive_metric(metric)).clamp_min(0.0)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return 0 where max_i v_i <= strength, else infinity."""
        return indicator(point, self.gauge(point) <= 1.0)

    def gauge(self, point: Tensor) -> float:
        """Return max_i max(v_i, 0) / strength."""
        return ratio(largest(point), self.strength)
