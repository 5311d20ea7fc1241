"""What every penalty asks of its arguments, in one wording."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

# a point this far outside a set, relative to the set's size, is inside but for the rounding errors of float32
ROUNDING = 1e-5


def strength_checked(penalty: str, strength: float) -> None:
    """Raise InputError unless ``strength`` is finite and not negative."""
    if not (math.isfinite(strength) and strength >= 0):
        raise InputError(f"{penalty}'s strength is {strength}; expected a finite number >= 0")


def positive_checked(what: str, number: float) -> None:
    """Raise InputError unless ``number`` is finite and positive."""
    if not (math.isfinite(number) and number > 0):
        raise InputError(f"{what} is {number}; expected a finite number > 0")


def matrix_checked(penalty: str, point: Tensor) -> Tensor:
    """Return ``point``, or raise InputError where it is not a matrix."""
    if point.ndim != 2:
        raise InputError(f"{penalty} was given the shape {tuple(point.shape)}; expected a matrix")
    return point


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


def positive_metric(metric: Tensor) -> Tensor:
    """Return ``metric``, or raise InputError where an entry is not positive and finite.

    Examples
    --------
    >>> positive_metric(torch.tensor([1.0, 0.0]))
    Traceback (most recent call last):
        ...
    gradus.core.errors.InputError: the metric has an entry that is not positive and finite; it is the inverse of a step
    """
    if not bool(((metric > 0) & metric.isfinite()).all()):
        raise InputError("the metric has an entry that is not positive and finite; it is the inverse of a step")
    return metric


def scalar(point: Tensor, number: float) -> Tensor:
    """Return ``number`` as a float64 scalar on the device of ``point``."""
    return torch.tensor(number, dtype=torch.float64, device=point.device)


def indicator(point: Tensor, inside: bool) -> Tensor:
    """Return 0 if ``inside`` else infinity, a float64 scalar on the device of ``point``."""
    return scalar(point, 0.0 if inside else math.inf)


def largest(point: Tensor) -> float:
    """Return the largest entry of ``point``, and minus infinity where there is none."""
    return float(point.double().max()) if point.numel() else -math.inf


def ratio(norm: float, strength: float) -> float:
    """Return norm / strength, the gauge of a norm's ball: 0 where the norm is 0, infinity where only the strength is.

    Examples
    --------
    >>> ratio(3.0, 2.0), ratio(0.0, 0.0), ratio(3.0, 0.0)
    (1.5, 0.0, inf)
    """
    if norm <= 0.0:
        return 0.0
    return norm / strength if strength else math.inf
