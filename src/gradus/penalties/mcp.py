"""The minimax concave penalty: absolute values near zero, constant far from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.penalties.checks import positive_checked, positive_metric, positive_step, strength_checked
from gradus.penalties.l1 import L1
from gradus.penalties.soft_threshold import soft_threshold

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class MCP:
    """The minimax concave penalty, which leaves large entries as they are; not convex.

    h(x) = sum_i strength |x_i| - x_i^2 / (2 gamma) where |x_i| <= gamma strength, else gamma strength^2 / 2

    Cost of each method: O(n).

    Parameters
    ----------
    strength : not negative; the slope at 0
    gamma : positive; the larger, the nearer to absolute values

    Raises
    ------
    InputError : if a number is outside its range

    References
    ----------
    Zhang 2010, Nearly unbiased variable selection under minimax concave penalty, equations 2.1 and 2.8

    Examples
    --------
    >>> import torch
    >>> MCP(1.0, gamma=3.0).value(torch.tensor([9.0, -1.5])).item()
    2.625
    >>> MCP(1.0, gamma=3.0).prox(torch.tensor([9.0, -2.0, 0.5]), step=1.0)
    tensor([ 9.0000, -1.5000,  0.0000])
    """

    strength: float
    gamma: float = 3.0

    def __post_init__(self) -> None:
        strength_checked("MCP", self.strength)
        positive_checked("MCP's gamma", self.gamma)

    def value(self, point: Tensor) -> Tensor:
        """Return the penalty, a float64 scalar."""
        size = point.double().abs().clamp_max(self.gamma * self.strength)
        return (self.strength * size - size.square() / (2.0 * self.gamma)).sum()

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Soft-threshold and stretch what is at most gamma strength, and keep the rest.

        ST(v, t strength) / (1 - t / gamma) where |v| <= gamma strength, else v. From t = gamma on the quadratic cannot
        make up for the concavity, and v is kept or dropped: kept where |v| > strength sqrt(gamma t).
        """
        if positive_step(step) >= self.gamma:
            return point.where(point.abs() > self.strength * math.sqrt(self.gamma * step), 0.0)
        stretched = soft_threshold(point, step * self.strength) / (1.0 - step / self.gamma)
        return stretched.where(point.abs() <= self.gamma * self.strength, point)

    def prox_in_metric(self, point: Tensor, metric: Tensor) -> Tensor:
        """Do as ``prox`` does, with the step 1 / metric_i of each entry."""
        step = 1.0 / positive_metric(metric)
        kept = point.where(point.abs() > self.strength * (self.gamma * step).sqrt(), 0.0)
        stretched = soft_threshold(point, step * self.strength) / (1.0 - step / self.gamma)
        near = stretched.where(point.abs() <= self.gamma * self.strength, point)
        return kept.where(step >= self.gamma, near)

    def relaxation(self) -> L1:
        """Return the sum of absolute values, of the same slope at 0."""
        return L1(self.strength)
