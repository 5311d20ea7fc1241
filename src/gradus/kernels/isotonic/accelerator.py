"""On the processor, by its kernel, there and back: each pool waits for the one before, so that a GPU would idle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.kernels.isotonic import cpu

if TYPE_CHECKING:
    from torch import Tensor


def nonincreasing(rows: Tensor) -> Tensor:
    """Return the nearest sequences that never rise; see the package."""
    found: Tensor = cpu.nonincreasing(rows.cpu())
    return found.to(rows.device)
