"""The descent with each update of the gradient as one pass along a row of the matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from gradus.kernels.compilation import compiled

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.gram_lasso import Quadratic

# a full sweep at least this often, so that what is at zero waits for its turn no longer
FULL_EVERY = 10
# most steps towards the minimum of one block before the next has its turn; ended early at this fraction of the first
BLOCK_STEPS, SETTLED = 30, 0.05


def gram_lasso(quadratic: Quadratic, tolerance: float, sweeps: int) -> Tensor:
    """Return a point near the minimum; see the package."""
    hessian, gradient, start, absolute, square, norms = (
        np.ascontiguousarray(part.detach().numpy()) for part in quadratic
    )
    point = start.copy()
    if len(norms):
        blocks = np.arange(len(point)).reshape(-1, len(norms)).T.copy()
        own = hessian[blocks[:, :, None], blocks[:, None, :]].astype(np.float64)
        steepness = np.linalg.eigvalsh(own)[:, -1]
        penalty = (absolute, square, norms)
        _descend_blocks((hessian, own, steepness), gradient.copy(), point, penalty, (tolerance, sweeps, blocks))
    else:
        _descend(hessian, gradient.copy(), point, (absolute, square), (tolerance, sweeps))
    return torch.from_numpy(point)


@compiled()
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


@compiled()
def _descend_blocks(
    matrices: tuple[np.ndarray, np.ndarray, np.ndarray],
    gradient: np.ndarray,
    point: np.ndarray,
    penalty: tuple[np.ndarray, np.ndarray, np.ndarray],
    limits: tuple[float, int, np.ndarray],
) -> None:
    hessian, own, steepness = matrices
    absolute, square, norms = penalty
    tolerance, sweeps, blocks = limits
    count, width = blocks.shape
    moved, slopes = np.empty(width), np.empty(width)
    full = True
    for sweep in range(sweeps):
        largest = 0.0
        for b in range(count):
            members = blocks[b]
            if not full:
                zero = True
                for k in range(width):
                    zero = zero and point[members[k]] == 0.0
                if zero:
                    continue
            for k in range(width):
                slopes[k] = gradient[members[k]]
            curvature = steepness[b] + square[members[0]]
            longest = step_block(own[b], steepness[b], slopes, moved, (point, members, absolute, square, norms[b]))
            largest = max(largest, longest * curvature)
            for k in range(width):
                step = moved[k]
                if step != 0.0:
                    row = members[k]
                    for i in range(len(gradient)):
                        gradient[i] += step * hessian[row, i]
        if full and largest <= tolerance:
            break
        full = largest <= tolerance or sweep % FULL_EVERY == FULL_EVERY - 1


@compiled()
def step_block(
    own: np.ndarray,
    steepness: float,
    slopes: np.ndarray,
    moved: np.ndarray,
    place: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float],
) -> float:
    """Move a block of the point towards its minimum, write the way to ``moved`` and return its largest entry."""
    point, members, absolute, square, norm = place
    width = len(members)
    soft = np.empty(width)
    moved[:] = 0.0
    first = 0.0
    for _ in range(BLOCK_STEPS):
        total = 0.0
        for k in range(width):
            pull = steepness * point[members[k]] - slopes[k]
            soft[k] = np.sign(pull) * max(abs(pull) - absolute[members[k]], 0.0)
            total += soft[k] * soft[k]
        length = np.sqrt(total)
        kept = 1.0 - norm / length if length > norm else 0.0
        longest = 0.0
        for k in range(width):
            new = kept * soft[k] / (steepness + square[members[k]])
            step = new - point[members[k]]
            soft[k] = step
            point[members[k]] = new
            moved[k] += step
            longest = max(longest, abs(step))
        first = max(first, longest)
        if longest <= SETTLED * first:
            break
        for k in range(width):
            for other in range(width):
                slopes[k] += own[k, other] * soft[other]
    largest = 0.0
    for k in range(width):
        largest = max(largest, abs(moved[k]))
    return largest
