"""The smoothly clipped absolute deviation: absolute values near zero, constant far from it, a parabola between."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.core.errors import InputError
from gradus.penalties.checks import positive_step, strength_checked
from gradus.penalties.l1 import L1
from gradus.penalties.soft_threshold import soft_threshold

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class SCAD:
    """The smoothly clipped absolute deviation l = strength, a = knee; not convex.

    h(x) = sum_i of  l |x_i|                                      where |x_i| <= l
                     (2 a l |x_i| - x_i^2 - l^2) / (2 (a - 1))    where l < |x_i| <= a l
                     l^2 (a + 1) / 2                              elsewhere

    Cost of each method: O(n).

    Parameters
    ----------
    strength : not negative; the slope at 0
    knee : finite, > 1; from knee * strength on the penalty is constant

    Raises
    ------
    InputError : if a number is outside its range

    References
    ----------
    Fan & Li 2001, Variable selection via nonconcave penalized likelihood, equations 2.7 and 2.8 (there step is 1)

    Examples
    --------
    >>> import torch
    >>> SCAD(1.0, knee=3.0).value(torch.tensor([9.0, -0.5])).item()
    2.5
    >>> SCAD(1.0, knee=3.5).prox(torch.tensor([9.0, -2.75, 1.5]), step=1.0)
    tensor([ 9.0000, -2.2500,  0.5000])
    """

    strength: float
    knee: float = 3.7

    def __post_init__(self) -> None:
        strength_checked("SCAD", self.strength)
        if not 1 < self.knee < float("inf"):
            raise InputError(f"SCAD's knee is {self.knee}; expected a finite number > 1")

    def value(self, point: Tensor) -> Tensor:
        """Return the penalty, a float64 scalar."""
        size = point.double().abs().clamp_max(self.knee * self.strength)
        bent = (size - self.strength).clamp_min(0.0).square() / (2.0 * (self.knee - 1.0))
        return (self.strength * size - bent).sum()

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Soft-threshold the small, stretch the middle, keep the large.

        ST(v, t l)                           where |v| <= l (1 + t)
        (v (a - 1) - sign(v) t a l) / (a - 1 - t)    where |v| <= a l
        v                                    elsewhere

        From t = a - 1 on the middle is never a minimum, and the first changes to the last where they are equally good:
        at |v| = l (a + 1 + t) / 2, and from t = a + 1 on, where the first is 0 there, at |v| = l sqrt(t (a + 1)).
        """
        size = point.abs()
        shrunk = soft_threshold(point, positive_step(step) * self.strength)
        room = self.knee - 1.0 - step
        if room <= 0.0:
            flat = self.knee + 1.0
            change = 0.5 * (flat + step) if step <= flat else math.sqrt(step * flat)
            return shrunk.where(size <= self.strength * change, point)
        # (a - 1) / room v - t a l / room, with one rounding less where v is large
        middle = soft_threshold(point, step * self.knee * self.strength / (self.knee - 1.0)) * (self.knee - 1.0) / room
        kept = middle.where(size <= self.knee * self.strength, point)
        return shrunk.where(size <= self.strength * (1.0 + step), kept)

    def relaxation(self) -> L1:
        """Return the sum of absolute values, of the same slope at 0."""
        return L1(self.strength)
