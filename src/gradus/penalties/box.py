"""Entries between bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.penalties.checks import ROUNDING, indicator, positive_metric, positive_step

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Box:
    """The penalty h(x) = 0 where low_i <= x_i <= high_i for all i, else infinity.

    Cost of each method: O(n).

    Parameters
    ----------
    low, high : numbers, or tensors whose shape broadcasts to the point's; finite, low <= high

    Raises
    ------
    InputError : if a bound is not finite (``Nonnegative`` has one bound only), or low > high somewhere

    References
    ----------
    Parikh & Boyd 2014, Proximal Algorithms, section 6.2.4

    Examples
    --------
    >>> Box(0.0, 1.0).prox(torch.tensor([3.0, -0.5, 0.2]), step=1.0)
    tensor([1.0000, 0.0000, 0.2000])
    >>> Box(0.0, torch.tensor([1.0, 4.0])).value(torch.tensor([3.0, 3.0])).item()
    inf
    """

    low: float | Tensor
    high: float | Tensor

    def __post_init__(self) -> None:
        low, high = (torch.as_tensor(bound, dtype=torch.float64) for bound in (self.low, self.high))
        if not (bool(low.isfinite().all()) and bool(high.isfinite().all()) and bool((low <= high).all())):
            raise InputError(f"Box's bounds are {self.low} and {self.high}; expected finite numbers, low <= high")

    def value(self, point: Tensor) -> Tensor:
        """Return 0 in the box and within rounding errors of it, else infinity."""
        low, high = self._bounds(point.double())
        room = ROUNDING * torch.maximum(low.abs(), high.abs())
        return indicator(point, bool(((point >= low - room) & (point <= high + room)).all()))

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Clip to the bounds."""
        positive_step(step)
        return point.clamp(*self._bounds(point))

    def prox_in_metric(self, point: Tensor, metric: Tensor) -> Tensor:
        """Clip to the bounds, whatever the metric."""
        positive_metric(metric)
        return point.clamp(*self._bounds(point))

    def conjugate(self, point: Tensor) -> Tensor:
        """Return sum_i max(low_i v_i, high_i v_i)."""
        wide = point.double()
        low, high = self._bounds(wide)
        return torch.maximum(low * wide, high * wide).sum()

    def gauge(self, point: Tensor) -> float:
        """Return 0, the conjugate being finite everywhere."""
        return 0.0

    def _bounds(self, point: Tensor) -> tuple[Tensor, Tensor]:
        low, high = (torch.as_tensor(bound, dtype=torch.float64).to(point) for bound in (self.low, self.high))
        return low, high
