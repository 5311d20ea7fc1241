"""The sum of absolute values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.penalties.checks import indicator, positive_metric, positive_step, strength_checked
from gradus.penalties.soft_threshold import soft_threshold
from gradus.penalties.wide_sums import wide_sum

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class L1:
    """The penalty h(x) = strength * sum_i |x_i|, which makes entries exactly zero.

    Parameters
    ----------
    strength : not negative

    Raises
    ------
    InputError : if ``strength`` is negative or not finite

    References
    ----------
    Tibshirani 1996; Parikh & Boyd 2014, Proximal Algorithms, section 6.5.2

    Examples
    --------
    >>> import torch
    >>> L1(2.0).value(torch.tensor([3.0, -0.5])).item()
    7.0
    >>> L1(1.0).prox(torch.tensor([3.0, -0.5]), step=1.0)
    tensor([2., -0.])
    """

    strength: float

    def __post_init__(self) -> None:
        strength_checked("L1", self.strength)

    @property
    def threshold(self) -> float:
        """The strength: slopes up to it leave a weight at 0."""
        return self.strength

    def value(self, point: Tensor) -> Tensor:
        """Return strength * sum_i |x_i|, a float64 scalar."""
        return self.strength * wide_sum(point, torch.abs)

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Soft-threshold ``point`` at ``step * strength``: sign(v_i) max(|v_i| - step * strength, 0)."""
        return soft_threshold(point, positive_step(step) * self.strength)

    def prox_in_metric(self, point: Tensor, metric: Tensor) -> Tensor:
        """Soft-threshold each entry at strength / metric_i."""
        return soft_threshold(point, self.strength / positive_metric(metric))

    def conjugate(self, point: Tensor) -> Tensor:
        """Return 0 where max_i |v_i| <= strength, else infinity."""
        return indicator(point, self.gauge(point) <= 1.0)

    def gauge(self, point: Tensor) -> float:
        """Return max_i |v_i| / strength, the dual norm over the strength."""
        largest = point.double().abs().max().item() if point.numel() else 0.0
        if largest == 0.0:
            return 0.0
        return largest / self.strength if self.strength else float("inf")
