"""The targets of losses that are a sum over outputs, checked in one wording."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


def targets_checked(loss: str, targets: Tensor, lowest: float = -math.inf, highest: float = math.inf) -> None:
    """Raise InputError unless ``targets`` is a floating-point matrix of numbers between the bounds."""
    if targets.ndim != 2 or not targets.is_floating_point():
        raise InputError(
            f"{loss}'s targets have shape {tuple(targets.shape)} and dtype {targets.dtype}; expected "
            "(samples, outputs) in floating point"
        )
    inside = targets.isfinite() & (targets >= lowest) & (targets <= highest)
    if not bool(inside.all()):
        bad = targets[~inside][0].item()
        raise InputError(f"{loss}'s targets hold {bad:g}; expected finite numbers from {lowest:g} to {highest:g}")
