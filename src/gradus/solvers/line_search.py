"""A step along a direction that lowers a smooth function enough, and is long enough."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class Trial(NamedTuple):
    """The function at one point of the line."""

    step: float
    point: Tensor
    value: float
    gradient: Tensor
    slope: float


@dataclass(frozen=True)
class WolfeSearch:
    """Find a step that meets the strong Wolfe conditions, or their approximate form where values no longer tell.

    value(t) <= value(0) + decrease t slope(0),  or value(t) within rounding and slope(t) <= (2 decrease - 1) slope(0)
    |slope(t)| <= flatness |slope(0)|

    Brackets by doubling, then places each trial by the secant of the slopes, kept away from the bracket's ends.

    Parameters
    ----------
    decrease : in (0, 1/2)
    flatness : in (decrease, 1)
    rounding : relative error of a value in units of the dtype's epsilon; closer values are taken to be equal
    most : trials before giving up
    first : the step tried first, positive

    References
    ----------
    Nocedal & Wright 2006, Numerical Optimization, section 3.5; Hager & Zhang 2005, equation 4.1
    """

    decrease: float = 1e-4
    flatness: float = 0.9
    rounding: float = 8.0
    most: int = 25
    first: float = 1.0

    def search(self, evaluate: Callable[[float], Trial], origin: Trial) -> Trial | None:
        """Return the accepted trial, or None where no step lowers the function beyond its rounding errors.

        ``evaluate(t)`` tries a step; ``origin`` is the trial at step 0, with a negative slope.
        """
        low, high = origin, math.inf
        step = self.first
        high_slope = math.nan
        for _ in range(self.most):
            trial = evaluate(step)
            if not self._low_enough(trial, origin):
                high, high_slope = step, trial.slope
            elif abs(trial.slope) <= self.flatness * abs(origin.slope):
                return trial
            elif trial.slope > 0:
                high, high_slope = step, trial.slope
            else:
                low = trial
            step = _next(low, high, high_slope)
            if step <= 0 or not math.isfinite(step):
                break
        # progress short of the second condition is still progress
        return low if low.step > 0 and low.value < origin.value else None

    def _low_enough(self, trial: Trial, origin: Trial) -> bool:
        if not (math.isfinite(trial.value) and math.isfinite(trial.slope)):
            return False
        if trial.value <= origin.value + self.decrease * trial.step * origin.slope:
            return True
        noise = self.rounding * torch.finfo(trial.point.dtype).eps * abs(origin.value)
        near = trial.value <= origin.value + noise
        return near and trial.slope <= (2 * self.decrease - 1) * origin.slope


def _next(low: Trial, high: float, high_slope: float) -> float:
    if math.isinf(high):
        return 2.0 * max(low.step, 0.5)
    width = high - low.step
    if width <= 1e-14 * high:
        return 0.0
    if math.isfinite(high_slope) and high_slope > low.slope:
        secant = low.step - low.slope * width / (high_slope - low.slope)
    else:
        secant = low.step + 0.5 * width
    return min(max(secant, low.step + 0.1 * width), high - 0.1 * width)
