"""Entries that are not negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.penalties.checks import ROUNDING, indicator, largest, positive_metric, positive_step

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Nonnegative:
    """The penalty h(x) = 0 where all x_i >= 0, else infinity.

    It has no ``conjugate`` here: that is finite on half of the directions only, and no use to a duality gap.
    Cost of each method: O(n).

    References
    ----------
    Parikh & Boyd 2014, Proximal Algorithms, section 6.3.1

    Examples
    --------
    >>> import torch
    >>> Nonnegative().prox(torch.tensor([3.0, -0.5]), step=1.0)
    tensor([3., 0.])
    """

    def value(self, point: Tensor) -> Tensor:
        """Return 0 where no entry is negative but for rounding errors, else infinity."""
        return indicator(point, largest(-point) <= ROUNDING * largest(point.abs()))

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return max(v_i, 0)."""
        positive_step(step)
        return point.clamp_min(0.0)

    def prox_in_metric(self, point: Tensor, metric: Tensor) -> Tensor:
        """Return max(v_i, 0), whatever the metric."""
        positive_metric(metric)
        return point.clamp_min(0.0)
