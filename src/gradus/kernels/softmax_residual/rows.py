"""The weighted cross-entropy and its derivative of a few rows of logits that are in the cache, for Numba code.

The rows are gone through three times: the exponentials in between are one flat loop, which becomes vector instructions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba.extending import overload

from gradus.kernels.compilation import compiled
from gradus.kernels.elementary import exponential

# numbers below so many times the smallest normal one are taken as 0
LEAST = 1024.0


@compiled(fastmath={"reassoc", "contract"})
def hard_rows(
    logits: np.ndarray, targets: np.ndarray, weights: np.ndarray, residual: np.ndarray, kept: np.ndarray
) -> float:
    """Return the loss of the rows and set ``residual``, which may be ``logits``, to its derivative.

    targets : class codes
    kept : (rows, classes), or (0, classes) for nothing: set to the probabilities, and the derivative is then that at
        the probabilities as they were rounded to its type, brought to the sum 1
    """
    rows, classes = logits.shape
    zero = logits.dtype.type(0)
    largest = logits.dtype.type(np.finfo(logits.dtype).max)
    least = logits.dtype.type(LEAST * np.finfo(logits.dtype).tiny)
    least_kept = logits.dtype.type(LEAST * np.finfo(kept.dtype).tiny)
    tops = np.empty(rows, logits.dtype)
    for i in range(rows):
        own_logit = logits[i, targets[i]]
        top = zero
        for k in range(classes):
            difference = min(logits[i, k] - own_logit, largest)
            residual[i, k] = difference
            top = max(top, difference)
        for k in range(classes):
            residual[i, k] -= top
        tops[i] = top
    _exponentials(residual.reshape(rows * classes), least)
    total = 0.0
    for i in range(rows):
        label = targets[i]
        own = residual[i, label]
        residual[i, label] = zero
        rest = zero
        for k in range(classes):
            rest += residual[i, k]
        whole = rest + own
        loss = math.log1p(rest) if tops[i] == zero else tops[i] + math.log(whole)
        total += weights[i] * np.float64(loss)
        if len(kept) > 0:
            others = 0.0
            for k in range(classes):
                kept[i, k] = _not_tiny(residual[i, k] / whole, least_kept)
                residual[i, k] = kept[i, k]
                others += np.float64(kept[i, k])
            kept[i, label] = own / whole
            rest, whole = others, others + kept[i, label]
        scale = weights[i] / whole
        for k in range(classes):
            residual[i, k] = _not_tiny(residual[i, k] * scale, least)
        residual[i, label] = _not_tiny(-rest * scale, least)
    return total


@compiled(fastmath={"reassoc", "contract"})
def soft_rows(
    logits: np.ndarray, targets: np.ndarray, weights: np.ndarray, residual: np.ndarray, kept: np.ndarray
) -> float:
    """Return and set the same as ``hard_rows`` for rows of probabilities as targets.

    The sum m of a row of targets may be 1 only up to rounding: the loss is m lse(z) - y . z, its derivative m p - y.
    """
    rows, classes = logits.shape
    largest = logits.dtype.type(np.finfo(logits.dtype).max)
    least = logits.dtype.type(LEAST * np.finfo(logits.dtype).tiny)
    least_kept = logits.dtype.type(LEAST * np.finfo(kept.dtype).tiny)
    losses = np.zeros(rows)
    for i in range(rows):
        top = -largest
        for k in range(classes):
            top = max(top, logits[i, k])
        below = 0.0
        for k in range(classes):
            shifted = max(logits[i, k] - top, -largest)
            below -= np.float64(targets[i, k]) * shifted
            residual[i, k] = shifted
        losses[i] = below
    _exponentials(residual.reshape(rows * classes), least)
    total = 0.0
    for i in range(rows):
        whole, mass = 0.0, 0.0
        for k in range(classes):
            whole += residual[i, k]
            mass += targets[i, k]
        total += weights[i] * (losses[i] + mass * math.log(whole))
        if len(kept) > 0:
            sum_kept = 0.0
            for k in range(classes):
                kept[i, k] = _not_tiny(residual[i, k] / whole, least_kept)
                residual[i, k] = kept[i, k]
                sum_kept += np.float64(kept[i, k])
            whole = sum_kept
        for k in range(classes):
            residual[i, k] = _not_tiny(weights[i] * (mass * residual[i, k] / whole - targets[i, k]), least)
    return total


@compiled(inline="always")
def _not_tiny(number: float, least: float) -> float:
    """Return the number, or 0 where it is smaller than ``least``.

    Products with subnormal numbers take the processor a hundred times as long as others.
    """
    kept: float = number if abs(number) >= least else type(least)(0)
    return kept


@compiled(inline="always")
def _exponentials(numbers: np.ndarray, least: float) -> None:
    for i in range(len(numbers)):
        numbers[i] = _not_tiny(exponential(numbers[i]), np.float64(least))


@compiled()
def residual_rows(
    logits: np.ndarray, targets: np.ndarray, weights: np.ndarray, residual: np.ndarray, kept: np.ndarray
) -> float:
    """Return and set the same as ``hard_rows`` or ``soft_rows``, as the targets are."""
    total: float = _of_either_kind(logits, targets, weights, residual, kept)
    return total


def _of_either_kind(logits: Any, targets: Any, weights: Any, residual: Any, kept: Any) -> float:
    raise NotImplementedError("for Numba code only: its overload chooses by the targets' number of axes")


@overload(_of_either_kind)
def _chosen(logits, targets, weights, residual, kept):  # type: ignore[no-untyped-def]
    function = hard_rows if targets.ndim == 1 else soft_rows
    return lambda logits, targets, weights, residual, kept: function(logits, targets, weights, residual, kept)


@compiled(fastmath={"reassoc", "contract"})
def turn_by_hessian(along: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> None:
    """Set each row s of ``along`` to w p * (s - p . s)."""
    rows, classes = along.shape
    least = along.dtype.type(LEAST * np.finfo(along.dtype).tiny)
    for i in range(rows):
        mean = along.dtype.type(0)
        for k in range(classes):
            mean += probabilities[i, k] * along[i, k]
        for k in range(classes):
            along[i, k] = _not_tiny(weights[i] * probabilities[i, k] * (along[i, k] - mean), least)


@compiled()
def add_columns(rows: np.ndarray, totals: np.ndarray) -> None:
    """Add the sum of each column to ``totals``, float64."""
    for i in range(len(rows)):
        for k in range(rows.shape[1]):
            totals[k] += rows[i, k]
