"""The descent by torch, an entry at a time: right on any device, and slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.gram_lasso import Quadratic


def gram_lasso(quadratic: Quadratic, tolerance: float, sweeps: int) -> Tensor:
    """Return a point near the minimum; see the package."""
    point, gradient = quadratic.start.clone(), quadratic.gradient.clone()
    curvatures = quadratic.hessian.diagonal()
    for _ in range(sweeps):
        largest = 0.0
        for j, row in enumerate(quadratic.hessian):
            pull = curvatures[j] * point[j] - gradient[j]
            steepness = curvatures[j] + quadratic.square[j]
            new = pull.sign() * (pull.abs() - quadratic.absolute[j]).clamp_min(0.0) / steepness
            moved = new - point[j]
            point[j] = new
            gradient += moved * row
            largest = max(largest, abs(moved.item()) * steepness.item())
        if largest <= tolerance:
            break
    return point
