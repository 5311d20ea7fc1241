"""On the processor, by its kernel, there and back: each piece waits for the one before, so that a GPU would idle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.kernels.taut_string import cpu

if TYPE_CHECKING:
    from torch import Tensor


def taut_string(rows: Tensor, radius: float) -> Tensor:
    """Return the signals that minimise the sum; see the package."""
    found: Tensor = cpu.taut_string(rows.cpu(), radius)
    return found.to(rows.device)
