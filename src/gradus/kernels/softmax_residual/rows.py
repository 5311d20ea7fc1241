"""The weighted cross-entropy and its derivative of a few rows of logits that are in the cache, for Numba code.

The rows are gone through three times: the exponentials in between are one flat loop. All is done in place, because a
loop that may read what it writes elsewhere becomes no vector instructions. Nor does a maximum of floating-point
numbers, so that it is found among their bits.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from gradus.kernels.compilation import compiled
from gradus.kernels.elementary import exponential, single_exponential

# numbers below so many times the smallest normal one are taken as 0
LEAST = 1024.0


@compiled(fastmath={"reassoc", "contract"})
def hard_rows(residual: np.ndarray, targets: np.ndarray, weights: np.ndarray, kept: np.ndarray) -> float:
    """Return the loss of the rows of logits that ``residual`` holds, C-contiguous, and set it to the derivative.

    targets : class codes
    kept : (rows, classes), or (0, classes) for nothing: set to the probabilities, and the derivative is then that at
        the probabilities as they were rounded to its type, brought to the sum 1
    """
    rows, classes = residual.shape
    zero = residual.dtype.type(0)
    largest = residual.dtype.type(np.finfo(residual.dtype).max)
    least = residual.dtype.type(LEAST * np.finfo(residual.dtype).tiny)
    least_kept = residual.dtype.type(LEAST * np.finfo(kept.dtype).tiny)
    tops = np.zeros(rows, residual.dtype)
    bits, top_bits = _bits(residual), _bits(tops)
    for i in range(rows):
        own_logit = residual[i, targets[i]]
        for k in range(classes):
            residual[i, k] = min(residual[i, k] - own_logit, largest)
        top_bits[i] = _largest(bits[i], top_bits[i])
        for k in range(classes):
            residual[i, k] -= tops[i]
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
def soft_rows(residual: np.ndarray, targets: np.ndarray, weights: np.ndarray, kept: np.ndarray) -> float:
    """Return and set the same as ``hard_rows`` for rows of probabilities as targets.

    The sum m of a row of targets may be 1 only up to rounding: the loss is m lse(z) - y . z, its derivative m p - y.
    """
    rows, classes = residual.shape
    largest = residual.dtype.type(np.finfo(residual.dtype).max)
    least = residual.dtype.type(LEAST * np.finfo(residual.dtype).tiny)
    least_kept = residual.dtype.type(LEAST * np.finfo(kept.dtype).tiny)
    losses, tops = np.zeros(rows), np.full(rows, -largest)
    bits, top_bits = _bits(residual), _bits(tops)
    for i in range(rows):
        top_bits[i] = _largest(bits[i], top_bits[i])
        below = 0.0
        for k in range(classes):
            shifted = max(residual[i, k] - tops[i], -largest)
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
def _largest(bits: np.ndarray, least: int) -> int:
    """Return, in bits, the largest of the floating-point numbers of these ``bits`` and of ``least``.

    Signed integers order them as they are, once the bits below the sign of the negative ones are turned around.
    """
    integer = bits.dtype.type
    sign, rest = integer(8 * bits.itemsize - 1), integer(np.iinfo(bits.dtype).max)
    top = integer(least ^ ((least >> sign) & rest))
    for k in range(len(bits)):
        top = max(top, integer(bits[k] ^ ((bits[k] >> sign) & rest)))
    largest: int = integer(top ^ ((top >> sign) & rest))
    return largest


@compiled(inline="always")
def _exponentials(numbers: np.ndarray, least: float) -> None:
    for i in range(len(numbers)):
        numbers[i] = _not_tiny(_exponential(numbers[i]), least)


def _exponential(number: Any) -> Any:
    raise NotImplementedError("for Numba code only: its overload chooses by the number of bits")


@overload(_exponential, inline="always")
def _exponential_of(number):  # type: ignore[no-untyped-def]
    function = single_exponential if number == types.float32 else exponential
    return lambda number: function(number)


def _bits(numbers: Any) -> Any:
    raise NotImplementedError("for Numba code only: its overload chooses by the number of bits")


@overload(_bits)
def _bits_of(numbers):  # type: ignore[no-untyped-def]
    kind = np.int32 if numbers.dtype == types.float32 else np.int64
    return lambda numbers: numbers.view(kind)


@compiled()
def residual_rows(residual: np.ndarray, targets: np.ndarray, weights: np.ndarray, kept: np.ndarray) -> float:
    """Return and set the same as ``hard_rows`` or ``soft_rows``, as the targets are."""
    total: float = _of_either_kind(residual, targets, weights, kept)
    return total


def _of_either_kind(residual: Any, targets: Any, weights: Any, kept: Any) -> float:
    raise NotImplementedError("for Numba code only: its overload chooses by the targets' number of axes")


@overload(_of_either_kind)
def _chosen(residual, targets, weights, kept):  # type: ignore[no-untyped-def]
    function = hard_rows if targets.ndim == 1 else soft_rows
    return lambda residual, targets, weights, kept: function(residual, targets, weights, kept)


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
