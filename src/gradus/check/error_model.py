"""How far a right gradient may be from the truth, given the precision it was computed in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

# rounding errors of a gradient's entry in units of the precision's epsilon times its size: a few operations' worth
ROUNDINGS = {torch.float64: 64.0, torch.float32: 32.0, torch.float16: 8.0, torch.bfloat16: 6.0}
# how many times that, where the same formula is right in float64: what remains is the formula's own loss of digits
LOST = {torch.float64: 1.0, torch.float32: 1000.0, torch.float16: 4.0, torch.bfloat16: 4.0}
# the golden value's own estimate of its error is believed up to this factor
SAFETY = 4.0


def tolerance(gradient: Tensor, direction: Tensor, golden_error: float) -> float:
    """Return the largest difference along ``direction`` that rounding can explain.

    Every entry of the gradient g may be off by c eps (|g_i| + the root mean square of g), independently of the others,
    so that along v the errors add in squares: c eps sqrt(sum v_i^2 (|g_i| + rms)^2). Relative to the derivative along a
    random direction that is c eps, whatever the size of the input is.
    """
    return SAFETY * golden_error + rounding_along(gradient, direction) + 1e-12


def rounding_along(gradient: Tensor, direction: Tensor) -> float:
    """Return what rounding alone may make of the derivative along ``direction``."""
    sizes = gradient.double().abs()
    typical = sizes.square().mean().sqrt() if sizes.numel() else sizes.sum()
    spread = float(((sizes + typical) * direction).square().sum().sqrt())
    rounding = ROUNDINGS[gradient.dtype] * torch.finfo(gradient.dtype).eps * spread
    return rounding if math.isfinite(rounding) else 0.0


def digits_lost(gradient: Tensor, direction: Tensor, typical: float) -> float:
    """Return what a formula that is right in float64 may lose in the gradient's own precision by cancellation.

    ``typical`` is the size of the gradient's entries elsewhere: where they cancel to less, its roundings remain.
    """
    remains = typical * torch.finfo(gradient.dtype).eps * float(torch.linalg.vector_norm(direction))
    return LOST[gradient.dtype] * rounding_along(gradient, direction) + ROUNDINGS[gradient.dtype] * remains
