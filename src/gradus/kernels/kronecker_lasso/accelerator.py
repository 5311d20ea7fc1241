"""The descent on the processor: each row waits for the one before, and the factors are small enough to be moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.kernels.kronecker_lasso import Curvature, Quadratic, cpu

if TYPE_CHECKING:
    from torch import Tensor


def kronecker_lasso(quadratic: Quadratic, tolerance: float, sweeps: int) -> Tensor:
    """Return a point near the minimum; see the package."""
    curvature = Curvature(*(part.cpu() for part in quadratic.curvature))
    moved = Quadratic(curvature, *(part.cpu() for part in quadratic[1:]))
    return cpu.kronecker_lasso(moved, tolerance, sweeps).to(quadratic.start.device)
