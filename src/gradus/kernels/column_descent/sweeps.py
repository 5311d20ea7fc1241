"""A sweep over the function itself: each weight's derivatives, its step, and what the step does to the probabilities.

A step multiplies exp(z) of one output and mends the sums; nothing else depends on the other outputs, so that the
numbers an output needs stay in the cache.
"""

from __future__ import annotations

import math

import numpy as np

from gradus.kernels.column_descent.entries import row_of
from gradus.kernels.compilation import compiled
from gradus.kernels.elementary import exponential

# beyond this, exp(z) of a sample and the sums are scaled back to 1
LARGE = 1e100
# where so little is left of a sum it is added up anew
CANCELLED = 1e-3
# longest step of a logit, and least curvature: where it underflows the longest step is taken
LONGEST, SMALLEST = 50.0, 1e-300


@compiled()
def descended(
    columns: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    coordinates: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    terms: tuple[np.ndarray, np.ndarray, np.ndarray, float, float, bool],
    state: tuple[np.ndarray, np.ndarray],
) -> None:
    """Descend on every weight once, in place. ``state`` is exp(z), (outputs, samples), and 1 over its sums."""
    starts, rows, values, longest = columns
    places, firsts, weights, intercept = coordinates
    shares, slopes, intercept_slopes, absolute, square, free = terms
    exponentials, inverses = state
    factors = np.empty(len(shares))
    for k in range(len(intercept)):
        if free:
            _intercept_step(exponentials, inverses, shares, intercept_slopes, intercept, k)
        for index in range(firsts[k], firsts[k + 1]):
            old = weights[index]
            place = places[index]
            start, stop = starts[place], starts[place + 1]
            slope, bend = _derivatives(rows, values, shares, (start, stop), exponentials[k], inverses)
            slope += square * old - slopes[index]
            moved = _step(slope, bend + square, old, longest[place], absolute)
            if moved != 0.0:
                weights[index] = old + moved
                _factors(values, start, stop, moved, factors)
                _update(rows, start, stop, exponentials, inverses, k, factors)


@compiled(inline="always")
def _step(slope: float, bend: float, old: float, longest: float, absolute: float) -> float:
    """Return the t that minimises slope t + bend (exp(m |t|) - 1 - m |t|) / m^2 + absolute |old + t|, m the longest."""
    if old == 0.0 and abs(slope) <= absolute:
        return 0.0
    if longest == 0.0:
        return -old
    bend = max(bend, SMALLEST)
    side = 1.0 if old > 0.0 or (old == 0.0 and slope < 0.0) else -1.0
    steep = slope + side * absolute
    step = -math.copysign(min(math.log1p(abs(steep) * longest / bend), LONGEST) / longest, steep)
    if (old + step) * side > 0.0:
        return step
    if old == 0.0:
        return 0.0
    steep = slope - side * absolute
    step = -math.copysign(min(math.log1p(abs(steep) * longest / bend), LONGEST) / longest, steep)
    return step if (old + step) * side < 0.0 else -old


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _derivatives(
    rows: np.ndarray,
    values: np.ndarray,
    shares: np.ndarray,
    bounds: tuple[int, int],
    exponentials: np.ndarray,
    inverses: np.ndarray,
) -> tuple[float, float]:
    slope, bend = 0.0, 0.0
    start, stop = bounds
    whole = stop - start == len(inverses)
    for entry in range(start, stop):
        i = row_of(rows, entry, start, whole)
        probability = exponentials[i] * inverses[i]
        share = shares[i] * values[entry] * probability
        slope += share
        bend += share * values[entry] * (1.0 - probability)
    return slope, bend


@compiled(fastmath={"contract", "nsz"})
def _factors(values: np.ndarray, start: int, stop: int, moved: float, factors: np.ndarray) -> None:
    for entry in range(start, stop):
        factors[entry - start] = exponential(moved * values[entry])


@compiled()
def _update(
    rows: np.ndarray,
    start: int,
    stop: int,
    exponentials: np.ndarray,
    inverses: np.ndarray,
    k: int,
    factors: np.ndarray,
) -> None:
    own = exponentials[k]
    for entry in range(start, stop):
        i = rows[entry]
        before = own[i]
        own[i] = before * factors[entry - start]
        _mend(exponentials, inverses, i, own[i] - before)


@compiled(inline="always")
def _mend(exponentials: np.ndarray, inverses: np.ndarray, i: int, change: float) -> None:
    """Put right 1 over the sum of sample i, which has changed."""
    ratio = 1.0 + inverses[i] * change
    inverses[i] /= ratio
    if ratio < CANCELLED or not 1.0 / LARGE < inverses[i] < LARGE:
        _rescale(exponentials, inverses, i)


@compiled(inline="never")
def _rescale(exponentials: np.ndarray, inverses: np.ndarray, i: int) -> None:
    largest = 0.0
    for k in range(len(exponentials)):
        largest = max(largest, exponentials[k, i])
    total = 0.0
    for k in range(len(exponentials)):
        exponentials[k, i] /= largest
        total += exponentials[k, i]
    inverses[i] = 1.0 / total


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _intercept_step(
    exponentials: np.ndarray,
    inverses: np.ndarray,
    shares: np.ndarray,
    slopes: np.ndarray,
    intercept: np.ndarray,
    k: int,
) -> None:
    """Move the intercept of output k."""
    own = exponentials[k]
    slope, bend = 0.0, 0.0
    for i in range(len(shares)):
        probability = own[i] * inverses[i]
        slope += shares[i] * probability
        bend += shares[i] * probability * (1.0 - probability)
    slope -= slopes[k]
    moved = -math.copysign(min(math.log1p(abs(slope) / max(bend, SMALLEST)), LONGEST), slope)
    intercept[k] += moved
    factor = math.exp(moved)
    for i in range(len(shares)):
        before = own[i]
        own[i] = before * factor
        _mend(exponentials, inverses, i, own[i] - before)
