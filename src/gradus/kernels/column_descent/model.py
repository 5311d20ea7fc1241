"""The descent's quadratic model, which is swept over a weight after the other, and what it is made of.

The model has the Hessian of the log-sum-exp whole, with what couples the outputs; its sweeps have no exponentials and
no divisions by sums, which is most of what a sweep of the function itself costs.
"""

from __future__ import annotations

import numba
import numpy as np

from gradus.kernels.column_descent.entries import row_of
from gradus.kernels.compilation import compiled
from gradus.kernels.elementary import exponential, logarithm

# samples that one thread works on at a time
CHUNK = 512
# longest step of a logit in the model, and least curvature
LONGEST, SMALLEST = 50.0, 1e-300
# a weight at 0 whose slope is below this fraction of the threshold stays there
WAITS = 0.5


@compiled(parallel=True, fastmath={"contract", "nsz"})
def probabilities(logits: np.ndarray, shares: np.ndarray, result: np.ndarray, sums: np.ndarray) -> None:
    """Put softmax(logits), (outputs, samples), into ``result``, and sum w_i lse_i of each chunk of samples there."""
    outputs, samples = logits.shape
    for part in numba.prange(len(sums)):
        start, stop = part * CHUNK, min((part + 1) * CHUNK, samples)
        top, total = np.full(CHUNK, -np.inf), np.zeros(CHUNK)
        for k in range(outputs):
            for i in range(start, stop):
                top[i - start] = max(top[i - start], logits[k, i])
        for k in range(outputs):
            for i in range(start, stop):
                result[k, i] = exponential(logits[k, i] - top[i - start])
                total[i - start] += result[k, i]
        lost = 0.0
        for i in range(start, stop):
            lost += shares[i] * (top[i - start] + logarithm(total[i - start]))
            total[i - start] = 1.0 / total[i - start]
        sums[part] = lost
        for k in range(outputs):
            for i in range(start, stop):
                result[k, i] *= total[i - start]


@compiled(parallel=True, fastmath={"reassoc", "contract", "nsz"})
def derivatives(
    starts: np.ndarray,
    rows: np.ndarray,
    values: np.ndarray,
    shares: np.ndarray,
    places: np.ndarray,
    firsts: np.ndarray,
    chances: np.ndarray,
    slopes: np.ndarray,
    bends: np.ndarray,
) -> None:
    """Put each weight's slope and curvature of sum_i w_i lse_i there."""
    for k in numba.prange(len(firsts) - 1):
        pulls, steeps = np.empty(len(shares)), np.empty(len(shares))
        for i in range(len(shares)):
            pulls[i] = shares[i] * chances[k, i]
            steeps[i] = pulls[i] * (1.0 - chances[k, i])
        for index in range(firsts[k], firsts[k + 1]):
            slope, bend = 0.0, 0.0
            start, stop = starts[places[index]], starts[places[index] + 1]
            whole = stop - start == len(shares)
            for entry in range(start, stop):
                i, value = row_of(rows, entry, start, whole), np.float64(values[entry])
                slope += value * pulls[i]
                bend += value * value * steeps[i]
            slopes[index], bends[index] = slope, bend


@compiled()
def swept(
    columns: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    coordinates: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    model: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    moves: tuple[np.ndarray, np.ndarray, np.ndarray],
    sample: tuple[np.ndarray, np.ndarray, np.ndarray],
    terms: tuple[float, float, bool, bool],
) -> float:
    """Sweep over the weights of the model once; return the largest violation of optimality that was met.

    coordinates : places, firsts, weights, and the intercept's slopes
    model : slopes and curvatures of the weights, probabilities (outputs, samples), shares
    moves : of the weights, of the intercept, and of the logits (outputs, samples)
    sample : room for w p (s - p . s), w p (1 - p), and what this sweep has added to the logit, of each sample
    terms : strengths of absolute values and squares, whether the intercept is free, and whether weights at 0 may move
    """
    starts, rows, values, longest = columns
    places, firsts, weights, intercept_slopes = coordinates
    slopes, bends, chances, shares = model
    moved, lifted, climbs = moves
    absolute, square, free, all_move = terms
    outputs, samples = chances.shape
    mean = np.zeros(samples)
    for k in range(outputs):
        for i in range(samples):
            mean[i] += chances[k, i] * climbs[k, i]
    violation = 0.0
    for k in range(outputs):
        _begun(sample, chances[k], climbs[k], (mean, shares))
        if free:
            violation = max(violation, _lifted(sample, intercept_slopes[k], lifted, k))
        for index in range(firsts[k], firsts[k + 1]):
            old = weights[index] + moved[index]
            if old == 0.0 and (not all_move or abs(slopes[index]) < WAITS * absolute):
                continue
            start, stop = starts[places[index]], starts[places[index] + 1]
            slope = slopes[index] + square * moved[index]
            slope += _product(sample[0], rows, values, start, stop)
            step = _step(slope, bends[index], old, absolute)
            most_far = LONGEST / max(longest[places[index]], SMALLEST)
            step = min(max(step, -most_far), most_far)
            if step != 0.0:
                violation = max(violation, abs(step) * bends[index])
                moved[index] += step
                _climb(sample, rows, values, start, stop, step)
        _ended(sample[2], chances[k], climbs[k], mean)
    return violation


@compiled()
def _begun(
    sample: tuple[np.ndarray, np.ndarray, np.ndarray],
    chances: np.ndarray,
    climbs: np.ndarray,
    means: tuple[np.ndarray, np.ndarray],
) -> None:
    pulls, steeps, added = sample
    mean, shares = means
    for i in range(len(mean)):
        chance = shares[i] * chances[i]
        pulls[i] = chance * (climbs[i] - mean[i])
        steeps[i] = chance * (1.0 - chances[i])
        added[i] = 0.0


@compiled()
def _ended(added: np.ndarray, chances: np.ndarray, climbs: np.ndarray, mean: np.ndarray) -> None:
    for i in range(len(mean)):
        climbs[i] += added[i]
        mean[i] += chances[i] * added[i]


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _lifted(sample: tuple[np.ndarray, np.ndarray, np.ndarray], slope: float, lifted: np.ndarray, k: int) -> float:
    """Move the intercept of output k to the model's minimum in it; return the slope that it had."""
    pulls, steeps, added = sample
    bend = 0.0
    for i in range(len(pulls)):
        slope += pulls[i]
        bend += steeps[i]
    step = min(max(-slope / max(bend, SMALLEST), -LONGEST), LONGEST)
    lifted[k] += step
    for i in range(len(pulls)):
        pulls[i] += steeps[i] * step
        added[i] += step
    return abs(slope)


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _product(pulls: np.ndarray, rows: np.ndarray, values: np.ndarray, start: int, stop: int) -> float:
    total, whole = 0.0, stop - start == len(pulls)
    for entry in range(start, stop):
        total += values[entry] * pulls[row_of(rows, entry, start, whole)]
    return total


@compiled(inline="always")
def _step(slope: float, bend: float, old: float, absolute: float) -> float:
    """Return the t that minimises slope t + bend t^2 / 2 + absolute |old + t|."""
    bend = max(bend, SMALLEST)
    target = bend * old - slope
    if target > absolute:
        return (target - absolute) / bend - old
    if target < -absolute:
        return (target + absolute) / bend - old
    return -old


@compiled()
def _climb(
    sample: tuple[np.ndarray, np.ndarray, np.ndarray],
    rows: np.ndarray,
    values: np.ndarray,
    start: int,
    stop: int,
    step: float,
) -> None:
    pulls, steeps, added = sample
    whole = stop - start == len(pulls)
    for entry in range(start, stop):
        i = row_of(rows, entry, start, whole)
        climb = step * values[entry]
        pulls[i] += steeps[i] * climb
        added[i] += climb
