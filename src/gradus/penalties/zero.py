"""No penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.penalties.checks import indicator, positive_step, scalar

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


@dataclass(frozen=True)
class Zero:
    """The penalty h(x) = 0.

    Examples
    --------
    >>> Zero().prox(torch.tensor([3.0]), step=1.0)
    tensor([3.])
    """

    def value(self, point: Tensor) -> Tensor:
        """Return 0, a float64 scalar."""
        return scalar(point, 0.0)

    def value_and_gradient(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return 0 and zeros."""
        return self.value(point), torch.zeros_like(point)

    def curvature(self, point: Tensor) -> Callable[[Tensor], Tensor]:
        """Return v -> 0."""
        return torch.zeros_like

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return a copy of ``point``."""
        positive_step(step)
        return point.clone()

    def conjugate(self, point: Tensor) -> Tensor:
        """Return 0 at 0, else infinity."""
        return indicator(point, not point.any())

    def gauge(self, point: Tensor) -> float:
        """Return 0 at 0, else infinity."""
        return float("inf") if point.any() else 0.0
