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


def gain_step(gradient: Tensor, update: Tensor, gains: Tensor, rule: StepRule) -> tuple[Tensor, Tensor]:
    """Return the next update and gains; see the package."""
    slope = np.ascontiguousarray(gradient.numpy())
    moved, grown = update.numpy().copy(), gains.numpy().copy()
    figures = np.array([rule.rate, rule.momentum, rule.longest_step], slope.dtype)
    with worth(16 * slope.size):
        _step(slope, figures, moved, grown)
    return torch.from_numpy(moved), torch.from_numpy(grown)


@compiled(parallel=True)
def _step(gradient: np.ndarray, figures: np.ndarray, update: np.ndarray, gains: np.ndarray) -> None:
    rate, momentum, longest = figures[0], figures[1], figures[2]
    growth, decay = gradient.dtype.type(GAIN_GROWTH), gradient.dtype.type(GAIN_DECAY)
    smallest = gradient.dtype.type(SMALLEST_GAIN)
    for i in numba.prange(len(gradient)):
        squared = gradient.dtype.type(0)
        for axis in range(gradient.shape[1]):
            onward = np.sign(update[i, axis]) != np.sign(gradient[i, axis])
            gains[i, axis] = gains[i, axis] + growth if onward else gains[i, axis] * decay + smallest
            update[i, axis] = momentum * update[i, axis] - rate * gains[i, axis] * gradient[i, axis]
            squared += update[i, axis] * update[i, axis]
        # written so that a step that is not a number stays one, and is seen
        if not squared <= longest * longest:
            for axis in range(gradient.shape[1]):
                update[i, axis] *= longest / np.sqrt(squared)
