"""Entries of at most a given absolute value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.penalties.checks import ROUNDING, indicator, largest, positive_checked, positive_step

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class LInfBall:
    """The penalty h(x) = 0 where max_i |x_i| <= radius, else infinity.

    Cost of each method: O(n).

    Parameters
    ----------
    radius : positive

    Raises
    ------
    InputError : if ``radius`` is not positive or not finite

    References
    ----------
    Parikh & Boyd 2014, Proximal Algorithms, section 6.2.4

    Examples
    --------
    >>> import torch
    >>> LInfBall(1.0).prox(torch.tensor([3.0, -0.5]), step=1.0)
    tensor([ 1.0000, -0.5000])
    >>> LInfBall(1.0).value(torch.tensor([3.0, -0.5])).item()
    inf
    """

    radius: float

    def __post_init__(self) -> None:
        positive_checked("LInfBall's radius", self.radius)

    def value(self, point: Tensor) -> Tensor:
        """Return 0 in the ball and within rounding errors of it, else infinity."""
        return indicator(point, largest(point.abs()) <= self.radius * (1.0 + ROUNDING))

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Clip to [-radius, radius]."""
        positive_step(step)
        return point.clamp(-self.radius, self.radius)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return radius * sum_i |v_i|."""
        return self.radius * point.double().abs().sum()

    def gauge(self, point: Tensor) -> float:
        """Return 0, the conjugate being finite everywhere."""
        return 0.0
