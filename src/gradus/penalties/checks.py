"""What every penalty asks of its arguments, in one wording."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


def strength_checked(penalty: str, strength: float) -> None:
    """Raise InputError unless ``strength`` is finite and not negative."""
    if not (math.isfinite(strength) and strength >= 0):
        raise InputError(f"{penalty}'s strength is {strength}; expected a finite number >= 0")


def positive_step(step: float) -> float:
    """Return ``step``, or raise InputError where it is not positive and finite.

    Examples
    --------
    >>> positive_step(0.0)
    Traceback (most recent call last):
        ...
    gradus.core.errors.InputError: step is 0.0; expected a finite number > 0, the inverse of a curvature
    """
    if not (math.isfinite(step) and step > 0):
        raise InputError(f"step is {step}; expected a finite number > 0, the inverse of a curvature")
    return step


def scalar(point: Tensor, number: float) -> Tensor:
    """Return ``number`` as a float64 scalar on the device of ``point``."""
    return torch.tensor(number, dtype=torch.float64, device=point.device)


def indicator(point: Tensor, inside: bool) -> Tensor:
    """Return 0 if ``inside`` else infinity, a float64 scalar on the device of ``point``."""
    return scalar(point, 0.0 if inside else math.inf)
