"""The descent on the processor: each entry waits for the one before, and the matrix is small enough to be moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.kernels.gram_lasso import Quadratic, cpu

if TYPE_CHECKING:
    from torch import Tensor


def gram_lasso(quadratic: Quadratic, tolerance: float, sweeps: int) -> Tensor:
    """Return a point near the minimum; see the package."""
    moved = Quadratic(*(part.cpu() for part in quadratic))
    return cpu.gram_lasso(moved, tolerance, sweeps).to(quadratic.start.device)
