"""The step in one pass over memory, on one thread: waking others would take longer than the pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from gradus.kernels.compilation import compiled
from gradus.kernels.gain_step.rule import GAIN_DECAY, GAIN_GROWTH, SMALLEST_GAIN

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.gain_step.rule import StepRule


# points whose coordinates are summed side by side, and moved side by side
ABREAST = 64


def gain_step(gradient: Tensor, update: Tensor, gains: Tensor, rule: StepRule) -> tuple[Tensor, Tensor]:
    """Return the next update and gains; see the package."""
    slope, before, known = (np.ascontiguousarray(part.numpy()) for part in (gradient, update, gains))
    moved, grown = np.empty_like(before), np.empty_like(known)
    rate, momentum, longest = np.array([rule.rate, rule.momentum, rule.longest_step], slope.dtype)
    _descend(
        slope.reshape(-1),
        before.reshape(-1),
        known.reshape(-1),
        moved.reshape(-1),
        grown.reshape(-1),
        rate,
        momentum,
    )
    _cut(moved, longest)
    return torch.from_numpy(moved), torch.from_numpy(grown)


def centred(points: Tensor) -> Tensor:
    """Return the points with mean zero; see the package."""
    rows = np.ascontiguousarray(points.detach().numpy())
    shifted = np.empty_like(rows)
    _centre(rows, shifted)
    return torch.from_numpy(shifted)


@compiled()
def _descend(
    gradient: np.ndarray,
    update: np.ndarray,
    gains: np.ndarray,
    moved: np.ndarray,
    grown: np.ndarray,
    rate: float,
    momentum: float,
) -> None:
    growth, decay = gradient.dtype.type(GAIN_GROWTH), gradient.dtype.type(GAIN_DECAY)
    smallest, zero = gradient.dtype.type(SMALLEST_GAIN), gradient.dtype.type(0)
    for c in range(gradient.size):
        before, slope = update[c], gradient[c]
        onward = ((before > zero) != (slope > zero)) | ((before < zero) != (slope < zero))
        gain = gains[c] + growth if onward else gains[c] * decay + smallest
        grown[c] = gain
        moved[c] = momentum * before - rate * gain * slope


@compiled()
def _any_beyond(update: np.ndarray, squared: float) -> bool:
    beyond = np.int32(0)
    for c in range(update.size):
        beyond += np.int32(update[c] * update[c] > squared)
    return bool(beyond > 0)


@compiled()
def _cut(update: np.ndarray, longest: float) -> None:
    samples, dimensions = update.shape
    squared_longest = longest * longest
    for first in range(0, samples, ABREAST):
        some = update[first : first + ABREAST]
        # no step is longer than all its coordinates at the largest of those abreast
        if not _any_beyond(some.reshape(-1), squared_longest / update.dtype.type(dimensions)):
            continue
        for i in range(len(some)):
            squared = update.dtype.type(0)
            for axis in range(dimensions):
                squared += some[i, axis] * some[i, axis]
            if squared > squared_longest:
                for axis in range(dimensions):
                    some[i, axis] *= longest / np.sqrt(squared)


@compiled()
def _centre(points: np.ndarray, shifted: np.ndarray) -> None:
    samples, dimensions = points.shape
    width, whole = ABREAST * dimensions, samples // ABREAST * ABREAST
    before, after = points[:whole].reshape((-1, width)), shifted[:whole].reshape((-1, width))
    sums, mean = np.zeros(width, np.float64), np.zeros(width, points.dtype)
    for row in range(len(before)):
        for c in range(width):
            sums[c] += before[row, c]
    for axis in range(dimensions):
        mean[axis::dimensions] = (sums[axis::dimensions].sum() + points[whole:, axis].sum()) / samples
    for row in range(len(before)):
        for c in range(width):
            after[row, c] = before[row, c] - mean[c]
    for i in range(whole, samples):
        for axis in range(dimensions):
            shifted[i, axis] = points[i, axis] - mean[axis]
