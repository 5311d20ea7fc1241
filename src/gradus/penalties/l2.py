"""Half the sum of squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.penalties.checks import indicator, positive_metric, positive_step, strength_checked
from gradus.penalties.wide_sums import wide_sum

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


@dataclass(frozen=True)
class L2:
    """The penalty h(x) = strength / 2 * sum_i x_i^2, also called ridge or weight decay.

    Parameters
    ----------
    strength : not negative

    Raises
    ------
    InputError : if ``strength`` is negative or not finite

    References
    ----------
    Hoerl & Kennard 1970; Parikh & Boyd 2014, Proximal Algorithms, section 6.1.1

    Examples
    --------
    >>> import torch
    >>> L2(2.0).value(torch.tensor([3.0, -1.0])).item()
    10.0
    >>> L2(1.0).prox(torch.tensor([3.0, -1.0]), step=1.0)
    tensor([ 1.5000, -0.5000])
    """

    strength: float

    def __post_init__(self) -> None:
        strength_checked("L2", self.strength)

    def value(self, point: Tensor) -> Tensor:
        """Return strength / 2 * sum_i x_i^2, a float64 scalar."""
        return 0.5 * self.strength * wide_sum(point, torch.square)

    def value_and_gradient(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return the value and the gradient strength * x."""
        return self.value(point), self.strength * point

    def curvature(self, point: Tensor) -> Callable[[Tensor], Tensor]:
        """Return v -> strength * v."""
        return lambda direction: self.strength * direction

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Shrink ``point`` by 1 / (1 + step * strength)."""
        return point / (1.0 + positive_step(step) * self.strength)

    def prox_in_metric(self, point: Tensor, metric: Tensor) -> Tensor:
        """Shrink each entry by metric_i / (metric_i + strength)."""
        return point * (metric / (positive_metric(metric) + self.strength))

    def conjugate(self, point: Tensor) -> Tensor:
        """Return sum_i v_i^2 / (2 strength); with strength 0, infinity unless v is 0."""
        if self.strength == 0.0:
            return indicator(point, not point.any())
        return wide_sum(point, torch.square) / (2.0 * self.strength)

    def gauge(self, point: Tensor) -> float:
        """Return 0, the conjugate being finite everywhere; with strength 0, infinity unless v is 0."""
        return 0.0 if self.strength or not point.any() else float("inf")
