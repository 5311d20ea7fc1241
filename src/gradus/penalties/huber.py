"""Squares of the small, absolute values of the large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.penalties.checks import indicator, largest, positive_checked, positive_step, ratio, strength_checked

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


@dataclass(frozen=True)
class Huber:
    """The penalty h(x) = strength * sum_i of x_i^2 / 2 where |x_i| <= delta, else delta (|x_i| - delta / 2).

    Cost of each method: O(n).

    Parameters
    ----------
    strength : not negative
    delta : positive; where squares become absolute values

    Raises
    ------
    InputError : if a number is outside its range

    References
    ----------
    Huber 1964, Robust estimation of a location parameter; Beck 2017, First-order methods in optimization, example 6.66

    Examples
    --------
    >>> import torch
    >>> Huber(1.0, delta=1.0).value(torch.tensor([3.0, -0.5])).item()
    2.625
    >>> Huber(1.0, delta=1.0).prox(torch.tensor([3.0, -0.5]), step=1.0)
    tensor([ 2.0000, -0.2500])
    """

    strength: float
    delta: float = 1.0

    def __post_init__(self) -> None:
        strength_checked("Huber", self.strength)
        positive_checked("Huber's delta", self.delta)

    def value(self, point: Tensor) -> Tensor:
        """Return the penalty, a float64 scalar."""
        size = point.double().abs()
        near = size.clamp_max(self.delta)
        return self.strength * (near * (size - 0.5 * near)).sum()

    def value_and_gradient(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return the value and the gradient strength * clip(x, -delta, delta)."""
        return self.value(point), self.strength * point.clamp(-self.delta, self.delta)

    def curvature(self, point: Tensor) -> Callable[[Tensor], Tensor]:
        """Return v -> strength * v where |x_i| <= delta, else 0."""
        slopes = self.strength * (point.abs() <= self.delta).to(point.dtype)
        return lambda direction: slopes * direction

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return v / (1 + tau) where |v| <= delta (1 + tau), else v - sign(v) delta tau, for tau = step * strength."""
        threshold = positive_step(step) * self.strength
        shift = (point / (1.0 + threshold)).clamp(-self.delta, self.delta) * threshold
        return (point / (1.0 + threshold)).where(point.abs() <= self.delta * (1.0 + threshold), point - shift)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return sum_i v_i^2 / (2 strength) where max_i |v_i| <= strength * delta, else infinity."""
        inside = self.gauge(point) <= 1.0
        if not inside or self.strength == 0.0:
            return indicator(point, inside)
        return point.double().square().sum() / (2.0 * self.strength)

    def gauge(self, point: Tensor) -> float:
        """Return max_i |v_i| / (strength * delta)."""
        return ratio(largest(point.abs()), self.strength * self.delta)
