"""The figures of a step rule."""

from __future__ import annotations

from dataclasses import dataclass

GAIN_GROWTH = 0.2
GAIN_DECAY = 0.8
SMALLEST_GAIN = 0.01


@dataclass(frozen=True)
class StepRule:
    """How far a step goes.

    Attributes
    ----------
    rate : multiplies the gradient, positive
    momentum : the share of the last update that is taken again, in [0, 1)
    longest_step : the length to which the step of a point is cut
    """

    rate: float
    momentum: float
    longest_step: float
