"""The sum of the square roots of absolute values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.penalties.checks import positive_step, strength_checked
from gradus.penalties.l1 import L1

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class LHalf:
    """The penalty h(x) = strength * sum_i sqrt(|x_i|), called l_1/2; not convex.

    Cost of each method: O(n).

    Parameters
    ----------
    strength : not negative

    Raises
    ------
    InputError : if ``strength`` is negative or not finite

    References
    ----------
    Xu, Chang, Xu & Zhang 2012, L1/2 regularization: a thresholding representation theory, theorem 1

    Examples
    --------
    >>> LHalf(2.0).value(torch.tensor([9.0, -4.0])).item()
    10.0
    >>> LHalf(1.0).prox(torch.tensor([3.0, -1.4]), step=1.0)
    tensor([2.6955, -0.0000])
    """

    strength: float

    def __post_init__(self) -> None:
        strength_checked("LHalf", self.strength)

    def value(self, point: Tensor) -> Tensor:
        """Return strength * sum_i sqrt(|x_i|), a float64 scalar."""
        return self.strength * point.double().abs().sqrt().sum()

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Threshold at 3/2 tau^(2/3), tau = step * strength, and shrink what is above it.

        2/3 v (1 + cos(2 pi / 3 - 2/3 arccos(tau / 4 (|v| / 3)^(-3/2)))), the largest root of x - |v| + tau / (2 sqrt x)
        """
        threshold = positive_step(step) * self.strength
        size = point.double().abs()
        kept = size > 1.5 * threshold ** (2.0 / 3.0)
        # below the threshold the cosine is not needed; any size above 0 keeps it defined
        ratio = (threshold ** (2.0 / 3.0) / size.clamp_min(torch.finfo(torch.float64).tiny) * 3.0).pow(1.5)
        angle = torch.arccos((0.25 * ratio).clamp_max(1.0))
        shrunk = 2.0 / 3.0 * size * (1.0 + torch.cos(2.0 / 3.0 * (math.pi - angle)))
        return point.sign() * shrunk.where(kept, 0.0).to(point.dtype)

    def relaxation(self) -> L1:
        """Return the sum of absolute values, of the same strength."""
        return L1(self.strength)
