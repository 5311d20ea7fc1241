"""Features whose squares are numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gradus.core.errors import InputError

if TYPE_CHECKING:
    import torch


def squares_checked(total: float, dtype: torch.dtype) -> float:
    """Return ``total``, a sum of the features' squares, or raise InputError where it overflowed in ``dtype``.

    Examples
    --------
    >>> import torch
    >>> squares_checked(2.5, torch.float32)
    2.5
    """
    if not math.isfinite(total):
        raise InputError(
            f"X holds numbers so large that their squares overflow {str(dtype).removeprefix('torch.')}; expected sizes "
            "below 1e18, or below 1e150 in float64: divide the features by a number"
        )
    return total
