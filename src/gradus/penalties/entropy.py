"""The negative entropy of entries that are not negative."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.penalties.checks import ROUNDING, indicator, largest, positive_checked, positive_step
from gradus.penalties.wright_omega import wright_omega

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Entropy:
    """The penalty h(x) = strength * sum_i x_i log x_i where all x_i >= 0 (0 log 0 = 0), else infinity.

    Least at x_i = 1 / e. Cost of each method: O(n).

    Parameters
    ----------
    strength : positive

    Raises
    ------
    InputError : if ``strength`` is not positive or not finite

    References
    ----------
    Bauschke & Combettes 2017, Convex analysis and monotone operator theory, example 24.39

    Examples
    --------
    >>> round(Entropy(1.0).value(torch.tensor([1.0, math.e, 0.0])).item(), 5)
    2.71828
    >>> Entropy(1.0).prox(torch.tensor([2.0]), step=1.0)
    tensor([1.])
    """

    strength: float

    def __post_init__(self) -> None:
        positive_checked("Entropy's strength", self.strength)

    def value(self, point: Tensor) -> Tensor:
        """Return strength * sum_i x_i log x_i, a float64 scalar; infinity where an entry is negative."""
        wide = point.double()
        inside = largest(-wide) <= ROUNDING * largest(wide.abs())
        held = wide.clamp_min(0.0)
        return self.strength * torch.xlogy(held, held).sum() + indicator(point, inside)

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return tau W(exp(v / tau - 1) / tau) for tau = step * strength and Lambert's W.

        The root u > 0 of u + tau (log u + 1) = v.
        """
        threshold = positive_step(step) * self.strength
        root = threshold * wright_omega(point.double() / threshold - (1.0 + math.log(threshold)))
        return root.to(point.dtype)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return strength * sum_i exp(v_i / strength - 1)."""
        return self.strength * (point.double() / self.strength - 1.0).exp().sum()

    def gauge(self, point: Tensor) -> float:
        """Return 0, the conjugate being finite everywhere."""
        return 0.0
