"""The weighted cross-entropy and its derivative, a chunk of rows at a time, rows in parallel.

A chunk's losses are summed in float64, and the chunks' sums in their order, so the result does not depend on threads.
"""

from __future__ import annotations

import math

import numba
import numpy as np
import torch
from torch import Tensor

from gradus.kernels.threads import worth

CHUNK = 256
# an exponential and what surrounds it, in arithmetic steps
STEPS = 30


def hard(logits: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Class codes as targets; see the package."""
    return _run(_hard, logits, targets, weights)


def soft(logits: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of probabilities as targets; see the package."""
    return _run(_soft, logits, targets, weights)


def _run(
    kernel: numba.core.dispatcher.Dispatcher, logits: Tensor, targets: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    values = np.ascontiguousarray(logits.detach().numpy())
    residual = np.empty_like(values)
    sums = np.zeros(max(-(-len(values) // CHUNK), 1))
    largest = values.dtype.type(np.finfo(values.dtype).max)
    with worth(STEPS * values.size):
        kernel(
            values,
            np.ascontiguousarray(targets.detach().numpy()),
            np.ascontiguousarray(weights.detach().numpy()),
            largest,
            residual,
            sums,
        )
    return torch.tensor(math.fsum(sums), dtype=torch.float64), torch.from_numpy(residual)


@numba.njit(parallel=True, cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _hard(
    logits: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    largest: float,
    residual: np.ndarray,
    sums: np.ndarray,
) -> None:
    samples, classes = logits.shape
    zero = logits.dtype.type(0)
    for chunk in numba.prange(len(sums)):
        total = 0.0
        for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, samples)):
            label = targets[i]
            own_logit = logits[i, label]
            top = zero
            for k in range(classes):
                difference = min(logits[i, k] - own_logit, largest)
                residual[i, k] = difference
                top = max(top, difference)
            residual[i, label] = -largest
            rest = zero
            for k in range(classes):
                other = np.exp(residual[i, k] - top)
                residual[i, k] = other
                rest += other
            whole = rest + np.exp(-top)
            scale = weights[i] / whole
            for k in range(classes):
                residual[i, k] *= scale
            residual[i, label] = -rest * scale
            loss = math.log1p(rest) if top == zero else top + math.log(whole)
            total += weights[i] * np.float64(loss)
        sums[chunk] = total


@numba.njit(parallel=True, cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _soft(
    logits: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    largest: float,
    residual: np.ndarray,
    sums: np.ndarray,
) -> None:
    samples, classes = logits.shape
    zero = logits.dtype.type(0)
    for chunk in numba.prange(len(sums)):
        total = 0.0
        for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, samples)):
            top = -largest
            for k in range(classes):
                top = max(top, logits[i, k])
            whole = zero
            below = zero
            for k in range(classes):
                shifted = max(logits[i, k] - top, -largest)
                other = np.exp(shifted)
                residual[i, k] = other
                whole += other
                below -= targets[i, k] * shifted
            mass = zero
            for k in range(classes):
                mass += targets[i, k]
                residual[i, k] = weights[i] * (residual[i, k] / whole - targets[i, k])
            total += weights[i] * np.float64(below + mass * math.log(whole))
        sums[chunk] = total
