"""The step in one pass over memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np
import torch

from gradus.kernels.compilation import compiled
from gradus.kernels.gain_step.rule import GAIN_DECAY, GAIN_GROWTH, SMALLEST_GAIN
from gradus.kernels.threads import worth

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.gain_step.rule import StepRule


# coordinates that one thread takes at a time; always the same, so that sums over them are formed in the same order
CHUNK = 2048
# arithmetic steps per coordinate, roughly
STEPS = 32


def gain_step(gradient: Tensor, update: Tensor, gains: Tensor, rule: StepRule) -> tuple[Tensor, Tensor]:
    """Return the next update and gains; see the package."""
    slope = np.ascontiguousarray(gradient.numpy())
    moved, grown = update.numpy().copy(), gains.numpy().copy()
    figures = np.array([rule.rate, rule.momentum, rule.longest_step], slope.dtype)
    with worth(STEPS * slope.size):
        _step(slope.reshape(-1), slope.shape[1], figures, moved.reshape(-1), grown.reshape(-1))
    return torch.from_numpy(moved), torch.from_numpy(grown)


def centred(points: Tensor) -> Tensor:
    """Return the points with mean zero; see the package."""
    rows = np.ascontiguousarray(points.detach().numpy())
    shifted = np.empty_like(rows)
    sums = np.zeros((-(-len(rows) // CHUNK), rows.shape[1]), np.float64)
    with worth(STEPS * rows.size):
        _centre(rows, sums, shifted)
    return torch.from_numpy(shifted)


@compiled(parallel=True)
def _step(gradient: np.ndarray, dimensions: int, figures: np.ndarray, update: np.ndarray, gains: np.ndarray) -> None:
    rate, momentum, longest = figures[0], figures[1], figures[2]
    width = CHUNK * dimensions
    for chunk in numba.prange((gradient.size + width - 1) // width):
        some = slice(chunk * width, min(gradient.size, (chunk + 1) * width))
        moved = update[some]
        _descend(gradient[some], moved, gains[some], rate, momentum)
        # no step is longer than all its coordinates at the largest of the chunk
        if _any_beyond(moved, longest * longest / moved.dtype.type(dimensions)):
            _cut(moved, dimensions, longest)


@compiled()
def _descend(gradient: np.ndarray, update: np.ndarray, gains: np.ndarray, rate: float, momentum: float) -> None:
    growth, decay = gradient.dtype.type(GAIN_GROWTH), gradient.dtype.type(GAIN_DECAY)
    smallest, zero = gradient.dtype.type(SMALLEST_GAIN), gradient.dtype.type(0)
    for c in range(gradient.size):
        before, slope = update[c], gradient[c]
        onward = ((before > zero) != (slope > zero)) | ((before < zero) != (slope < zero))
        gain = gains[c] + growth if onward else gains[c] * decay + smallest
        gains[c] = gain
        update[c] = momentum * before - rate * gain * slope


@compiled()
def _any_beyond(update: np.ndarray, squared: float) -> bool:
    beyond = np.int32(0)
    for c in range(update.size):
        beyond += np.int32(update[c] * update[c] > squared)
    return bool(beyond > 0)


@compiled()
def _cut(update: np.ndarray, dimensions: int, longest: float) -> None:
    for first in range(0, update.size, dimensions):
        squared = update.dtype.type(0)
        for c in range(first, first + dimensions):
            squared += update[c] * update[c]
        if squared > longest * longest:
            for c in range(first, first + dimensions):
                update[c] *= longest / np.sqrt(squared)


@compiled(parallel=True)
def _centre(points: np.ndarray, sums: np.ndarray, shifted: np.ndarray) -> None:
    samples, dimensions = points.shape
    for chunk in numba.prange(len(sums)):
        for axis in range(dimensions):
            sums[chunk, axis] = _sum(points[chunk * CHUNK : (chunk + 1) * CHUNK, axis])
    mean = np.zeros(dimensions, points.dtype)
    for axis in range(dimensions):
        mean[axis] = sums[:, axis].sum() / samples
    for chunk in numba.prange(len(sums)):
        for axis in range(dimensions):
            away = mean[axis]
            for i in range(chunk * CHUNK, min(samples, (chunk + 1) * CHUNK)):
                shifted[i, axis] = points[i, axis] - away


@compiled(fastmath={"reassoc"})
def _sum(values: np.ndarray) -> float:
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total
