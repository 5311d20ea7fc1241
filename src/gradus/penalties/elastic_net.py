"""Absolute values and squares together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.penalties.checks import positive_metric, positive_step, strength_checked
from gradus.penalties.l1 import L1
from gradus.penalties.soft_threshold import soft_threshold
from gradus.penalties.wide_sums import wide_sum

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class ElasticNet:
    """The penalty h(x) = l1 * sum_i |x_i| + l2 / 2 * sum_i x_i^2.

    Parameters
    ----------
    l1 : strength of the absolute values, not negative
    l2 : strength of the squares, not negative

    Raises
    ------
    InputError : if a strength is negative or not finite

    References
    ----------
    Zou & Hastie 2005; Parikh & Boyd 2014, Proximal Algorithms, section 6.5.3

    Examples
    --------
    >>> import torch
    >>> ElasticNet(l1=1.0, l2=1.0).value(torch.tensor([3.0, -0.5])).item()
    8.125
    >>> ElasticNet(l1=1.0, l2=1.0).prox(torch.tensor([3.0, -0.5]), step=1.0)
    tensor([1., -0.])
    """

    l1: float
    l2: float

    def __post_init__(self) -> None:
        strength_checked("ElasticNet's l1", self.l1)
        strength_checked("ElasticNet's l2", self.l2)

    @property
    def threshold(self) -> float:
        """The strength of the absolute values: slopes up to it leave a weight at 0."""
        return self.l1

    def value(self, point: Tensor) -> Tensor:
        """Return l1 * sum_i |x_i| + l2 / 2 * sum_i x_i^2, a float64 scalar."""
        return self.l1 * wide_sum(point, torch.abs) + 0.5 * self.l2 * wide_sum(point, torch.square)

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Soft-threshold at ``step * l1``, then shrink by 1 / (1 + step * l2)."""
        return soft_threshold(point, positive_step(step) * self.l1) / (1.0 + step * self.l2)

    def prox_in_metric(self, point: Tensor, metric: Tensor) -> Tensor:
        """Soft-threshold at l1 / metric_i, then shrink by metric_i / (metric_i + l2)."""
        return soft_threshold(point, self.l1 / positive_metric(metric)) * (metric / (metric + self.l2))

    def conjugate(self, point: Tensor) -> Tensor:
        """Return sum_i max(|v_i| - l1, 0)^2 / (2 l2); with l2 = 0 the conjugate of ``L1``."""
        if self.l2 == 0.0:
            return L1(self.l1).conjugate(point)
        return soft_threshold(point.double(), self.l1).square().sum() / (2.0 * self.l2)

    def gauge(self, point: Tensor) -> float:
        """Return 0, the conjugate being finite everywhere; with l2 = 0 the gauge of ``L1``."""
        return 0.0 if self.l2 else L1(self.l1).gauge(point)
