"""The descent with each update of the gradient as one pass along a row of the matrix.

Where sweeps crawl, steps of Newton's method on what is not zero come between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from gradus.kernels.compilation import compiled
from gradus.kernels.support_step import Place, support_step
from gradus.kernels.threads import threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.kernels.gram_lasso import Quadratic

# a full sweep at least this often, so that what is at zero waits for its turn no longer
FULL_EVERY = 10
# so many sweeps come before each of Newton's steps, of few entries more: their arithmetic is what a step's calls cost
SWEEPS_BEFORE_STEP, STEP_COST = 30, 400_000
# most steps towards the minimum of one block before the next has its turn; ended early at this fraction of the first
BLOCK_STEPS, SETTLED = 30, 0.05


def gram_lasso(quadratic: Quadratic, tolerance: float, sweeps: int) -> Tensor:
    """Return a point near the minimum; see the package."""
    hessian, gradient, start, absolute, square, norms = (
        np.ascontiguousarray(part.detach().numpy()) for part in quadratic
    )
    point, slopes = start.copy(), gradient.copy()
    descend = _descent_on_blocks(hessian, (absolute, square, norms)) if len(norms) else None
    done, helpful = 0, True
    before_step = max(SWEEPS_BEFORE_STEP, STEP_COST // max(len(point), 1) ** 2)
    while done < sweeps:
        most = min(before_step, sweeps - done) if helpful else sweeps - done
        if descend is None:
            taken, settled = _descend(hessian, slopes, point, (absolute, square), (tolerance, most))
        else:
            taken, settled = descend(slopes, point, tolerance, most)
        done += taken
        if settled:
            break
        helpful = helpful and _stepped(quadratic, slopes, point)
    return torch.from_numpy(point)


def _descent_on_blocks(
    hessian: np.ndarray, penalty: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> Callable[[np.ndarray, np.ndarray, float, int], tuple[int, bool]]:
    """Return the descent in place from slopes and a point, to a tolerance in so many sweeps at most."""
    blocks = np.arange(len(hessian)).reshape(-1, len(penalty[2])).T.copy()
    own = hessian[blocks[:, :, None], blocks[:, None, :]].astype(np.float64)
    matrices = (hessian, own, np.linalg.eigvalsh(own)[:, -1])

    def descend(slopes: np.ndarray, point: np.ndarray, tolerance: float, sweeps: int) -> tuple[int, bool]:
        return _descend_blocks(matrices, slopes, point, penalty, (tolerance, sweeps, blocks))

    return descend


def _stepped(quadratic: Quadratic, slopes: np.ndarray, point: np.ndarray) -> bool:
    """Take a step of Newton's method in place, and return whether one was found."""
    hessian, _, _, absolute, square, norms = quadratic
    # blocks side by side; entries are blocks of one
    shape = (-1, len(norms)) if len(norms) else (1, -1)
    rows = len(norms) or len(point)
    norms = norms if len(norms) else torch.zeros(rows, dtype=torch.float64)

    def product(direction: Tensor) -> Tensor:
        return (hessian @ direction.ravel().to(hessian.dtype)).double().reshape(shape)

    def among(output: int, places: Tensor) -> Tensor:
        entries = output * rows + places
        return hessian[entries[:, None], entries]

    values, steep = (torch.from_numpy(part).reshape(shape) for part in (point, slopes))
    with threads(None):
        # on one thread, so that no rounding depends on how many there are
        place = Place(values, steep, absolute.reshape(shape), square.reshape(shape), norms)
        found = support_step(place, product, among)
    if found is None:
        return False
    point[:], slopes[:] = found.point.ravel().numpy(), found.slopes.ravel().numpy()
    return True


@compiled()
def _descend(
    hessian: np.ndarray,
    gradient: np.ndarray,
    point: np.ndarray,
    penalty: tuple[np.ndarray, np.ndarray],
    limits: tuple[float, int],
) -> tuple[int, bool]:
    """Descend in place; return after how many sweeps, and whether the last was a full one that moved little."""
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
            return sweep + 1, True
        full = largest <= tolerance or sweep % FULL_EVERY == FULL_EVERY - 1
    return sweeps, False


@compiled()
def _descend_blocks(
    matrices: tuple[np.ndarray, np.ndarray, np.ndarray],
    gradient: np.ndarray,
    point: np.ndarray,
    penalty: tuple[np.ndarray, np.ndarray, np.ndarray],
    limits: tuple[float, int, np.ndarray],
) -> tuple[int, bool]:
    """Descend in place; return after how many sweeps, and whether the last was a full one that moved little."""
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
            return sweep + 1, True
        full = largest <= tolerance or sweep % FULL_EVERY == FULL_EVERY - 1
    return sweeps, False


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
