"""The descent with each update of the gradient as one pass along a row of the matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.gram_lasso import Quadratic

# a full sweep at least this often, so that an entry at zero waits for its turn no longer
FULL_EVERY = 10


def gram_lasso(quadratic: Quadratic, tolerance: float, sweeps: int) -> Tensor:
    """Return a point near the minimum; see the package."""
    hessian, gradient, start, absolute, square = (np.ascontiguousarray(part.detach().numpy()) for part in quadratic)
    point = start.copy()
    _descend(hessian, gradient.copy(), point, (absolute, square), (tolerance, sweeps))
    return torch.from_numpy(point)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _descend(
    hessian: np.ndarray,
    gradient: np.ndarray,
    point: np.ndarray,
    penalty: tuple[np.ndarray, np.ndarray],
    limits: tuple[float, int],
) -> None:
    absolute, square = penalty
    tolerance, sweeps = limits
    entries = len(point)
    full = True
    for sweep in range(sweeps):
        largest = 0.0
        for j in range(entries):
            old = point[j]
            if old == 0.0 and not full:
                continue
            curvature = hessian[j, j]
            pull = curvature * old - gradient[j]
            new = 0.0
            if pull > absolute[j]:
                new = (pull - absolute[j]) / (curvature + square[j])
            elif pull < -absolute[j]:
                new = (pull + absolute[j]) / (curvature + square[j])
            if new != old:
                moved = new - old
                point[j] = new
                largest = max(largest, abs(moved) * (curvature + square[j]))
                for i in range(entries):
                    gradient[i] += moved * hessian[j, i]
        if full and largest <= tolerance:
            break
        full = largest <= tolerance or sweep % FULL_EVERY == FULL_EVERY - 1
