"""The descent's quadratic model swept over all outputs' weights of a column at a time, because their norm counts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numba
import numpy as np
import torch

from gradus.kernels.column_descent.anderson import bent, swept_to
from gradus.kernels.compilation import compiled
from gradus.kernels.threads import threads, worth

if TYPE_CHECKING:
    from gradus.kernels.column_descent.function import Function, Place, Slopes

# most sweeps over one model, and the part of the violation at which it is nearly at its minimum
SWEEPS, LEFT = 10, 0.1
# a column at 0 whose slopes are below this fraction of the threshold stays there
WAITS = 0.5
# most turns, and the relative change that ends them, of Newton's method for the length of a block
TURNS, EXACT = 30, 1e-6
# outputs up to which the intercept goes to the model's minimum at once; beyond, a majorised step has to do
FEW_OUTPUTS = 256
# added to the intercept's Hessian, relative to its mean diagonal, and the least curvature beside that of a logit
RIDGE = 1e-9


def row_slopes(function: Function, place: Place) -> Slopes:
    """Return the slopes at a place, and by how much it violates optimality, column by column."""
    found = function.slopes(place)
    weights, slopes = (part.reshape(len(found.lifts), -1) for part in (place.weights, found.slopes))
    lengths = np.linalg.norm(weights, axis=0)
    soft = np.sign(slopes) * np.maximum(np.abs(slopes) - function.absolute, 0.0)
    towards = function.norm / np.where(lengths > 0, lengths, 1.0) * weights + function.absolute * np.sign(weights)
    moving = np.linalg.norm(np.where(weights != 0, slopes + towards, soft), axis=0)
    violations = np.where(lengths > 0, moving, np.maximum(np.linalg.norm(soft, axis=0) - function.norm, 0.0))
    return found._replace(violation=float(max(violations.max(initial=0.0), np.abs(found.lifts).max())))


def row_step(function: Function, place: Place, slopes: Slopes, most: int, *, safe: bool) -> tuple[Place, int, float]:
    """Return the place after a Newton step, after how many sweeps, and how much of the step was taken.

    A ``safe`` step has half of the identity, less its mean over the outputs, for every sample's diag(p) - p p': that is
    never below it, whatever the probabilities, so that the step lowers the value wherever it begins.
    """
    outputs, samples = place.chances.shape
    starts, rows, values, _ = function.columns
    scale = 0.5 * outputs if safe else 1.0
    chances = np.full((samples, outputs), 1.0 / outputs) if safe else np.ascontiguousarray(place.chances.T)
    weights, sloped = (np.ascontiguousarray(part.reshape(outputs, -1).T) for part in (place.weights, slopes.slopes))
    steep = np.empty_like(weights)
    with worth(4 * len(rows) * outputs):
        _steepness(starts, rows, values, scale * function.shares, chances, steep)
    moved, lifted = np.zeros_like(weights), np.zeros(outputs)
    # of a sample, what its logits' moves have changed in its probabilities
    changes, shares = np.zeros((samples, outputs)), scale * function.shares
    inverse = _intercept_inverse(chances, shares)

    spare = function.of_samples()

    def sweep(done: int) -> float:
        violation: float = _swept(
            (starts, rows, values),
            (weights, sloped, steep),
            (chances, shares, slopes.lifts, inverse),
            (moved, lifted, changes),
            (function.absolute, function.square, function.norm, function.free, done == 0),
        )
        return violation

    def jump(guess: tuple[np.ndarray, np.ndarray]) -> None:
        # what is 0 stays 0, whatever rounding would leave
        guess = (np.where(weights + moved == 0.0, moved, guess[0]), guess[1])
        found = []
        for some, lift in ((moved, lifted), guess):
            climbs = function.logits(some.T.ravel(), lift, spare)
            rise = function.model_rise(place, slopes, (some.T.ravel(), lift))
            found.append(rise + 0.5 * bent(chances.T, shares, climbs))
        if found[1] < found[0]:
            moved[:], lifted[:] = guess
            climbs -= np.einsum("ik,ki->i", chances, climbs)
            np.multiply(chances, climbs.T, out=changes)

    taken = swept_to(sweep, (moved, lifted), jump, (LEFT * slopes.violation, min(SWEEPS, most)))
    move = moved.T.ravel()
    climbs = function.logits(move, lifted, spare)
    found, length = function.searched(place, slopes, (move, lifted, climbs), function.of_samples())
    return found, taken, length


def _intercept_inverse(chances: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the inverse of the model's Hessian in the intercept, or of a diagonal above it."""
    with threads(None):
        # on one thread, so that no rounding depends on how many there are
        chance, share = torch.from_numpy(chances), torch.from_numpy(shares)
        if chance.shape[1] > FEW_OUTPUTS:
            diagonal: np.ndarray = (1.0 / (share @ chance).clamp_min(1e-300)).diag().numpy()
            return diagonal
        between = (chance.t() @ (share[:, None] * chance)).fill_diagonal_(0.0)
        # what p (1 - p) adds up to, without cancellation where p is near 1
        hessian = torch.diag(between.sum(dim=1)) - between
        mean = hessian.diagonal().mean().clamp_min(RIDGE)
        # it is 0 where all outputs move alike, which nothing asks for
        hessian += mean / len(between) + RIDGE * mean * torch.eye(len(between), dtype=torch.float64)
        inverse: np.ndarray = torch.linalg.inv(hessian).numpy()
        return inverse


@compiled(parallel=True, fastmath={"reassoc", "contract", "nsz"})
def _steepness(
    starts: np.ndarray,
    rows: np.ndarray,
    values: np.ndarray,
    shares: np.ndarray,
    chances: np.ndarray,
    steep: np.ndarray,
) -> None:
    """Put a diagonal above half of each column's block of the model there, (columns, outputs).

    Steps in such a metric never raise the model. diag(p (1 - p)) is above half of diag(p) - p p', because twice the one
    less the other is diagonally dominant; min(p, 2 p (1 - p)) is above that, and near the whole.
    """
    for j in numba.prange(len(steep)):
        steep[j], whole = 0.0, 0.0
        for entry in range(starts[j], starts[j + 1]):
            square, own = shares[rows[entry]] * np.float64(values[entry]) ** 2, chances[rows[entry]]
            whole += square
            for k in range(len(own)):
                steep[j, k] += square * min(own[k], 2.0 * own[k] * (1.0 - own[k]))
        # where it underflows a step would overflow
        steep[j] = np.maximum(steep[j], max(RIDGE * whole, 1e-300))


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _swept(
    columns: tuple[np.ndarray, np.ndarray, np.ndarray],
    point: tuple[np.ndarray, np.ndarray, np.ndarray],
    model: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    moves: tuple[np.ndarray, np.ndarray, np.ndarray],
    terms: tuple[float, float, float, bool, bool],
) -> float:
    """Sweep over the columns of the model once; return the largest violation of optimality that was met.

    point : weights, slopes and a diagonal that stands for the curvature, (columns, outputs)
    model : probabilities (samples, outputs), shares, slopes of the intercept and the inverse of its Hessian
    moves : of the weights and of the intercept, and what they change in the probabilities, (samples, outputs)
    terms : strengths of absolute values, squares and norms, whether the intercept is free, and whether columns at 0 may
        move
    """
    starts, rows, values = columns
    weights, slopes, steep = point
    chances, shares, lifts, inverse = model
    moved, lifted, changes = moves
    absolute, square, norm, free, all_move = terms
    samples, outputs = chances.shape
    slope, step, metric = np.empty(outputs), np.empty(outputs), np.empty(outputs)
    violation = 0.0
    if free:
        slope[:] = lifts
        for i in range(samples):
            for k in range(outputs):
                slope[k] += shares[i] * changes[i, k]
        for k in range(outputs):
            step[k] = 0.0
            for other in range(outputs):
                step[k] -= inverse[k, other] * slope[other]
            violation = max(violation, abs(slope[k]))
            lifted[k] += step[k]
        for i in range(samples):
            _climb(changes[i], chances[i], step, 1.0)
    for j in range(len(weights)):
        zero = True
        for k in range(outputs):
            zero = zero and weights[j, k] + moved[j, k] == 0.0
        if zero and (not all_move or _shrunk(slopes[j], absolute) < WAITS * norm):
            continue
        for k in range(outputs):
            slope[k] = slopes[j, k] + square * moved[j, k]
        for entry in range(starts[j], starts[j + 1]):
            changed, share = changes[rows[entry]], shares[rows[entry]] * values[entry]
            for k in range(outputs):
                slope[k] += share * changed[k]
        metric[:] = steep[j] + square
        steepest = _move((weights[j], moved[j]), slope, step, metric, (absolute, norm))
        violation = max(violation, steepest)
        if steepest > 0.0:
            for entry in range(starts[j], starts[j + 1]):
                _climb(changes[rows[entry]], chances[rows[entry]], step, values[entry])
    return violation


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _climb(changes: np.ndarray, chances: np.ndarray, step: np.ndarray, value: float) -> None:
    """Add value times (diag(p) - p p') step."""
    mean = 0.0
    for k in range(len(step)):
        mean += chances[k] * step[k]
    for k in range(len(step)):
        changes[k] += value * chances[k] * (step[k] - mean)


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _shrunk(slopes: np.ndarray, absolute: float) -> float:
    total = 0.0
    for k in range(len(slopes)):
        total += max(abs(slopes[k]) - absolute, 0.0) ** 2
    return math.sqrt(total)


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _move(
    place: tuple[np.ndarray, np.ndarray],
    slope: np.ndarray,
    step: np.ndarray,
    metric: np.ndarray,
    strengths: tuple[float, float],
) -> float:
    """Go to the minimum of a block's majorised model, put the way into ``step`` and return its steepest entry.

    Where z is the soft-thresholded pull, x_k = z_k / (d_k + n / r) with r = |x|, 0 where |z| <= n.
    """
    weights, moved = place
    absolute, norm = strengths
    total = 0.0
    for k in range(len(step)):
        pull = metric[k] * (weights[k] + moved[k]) - slope[k]
        step[k] = np.sign(pull) * max(abs(pull) - absolute, 0.0)
        total += step[k] * step[k]
    length = math.sqrt(total)
    root = _length(step, metric, length, norm) if length > norm else 0.0
    steepest = 0.0
    for k in range(len(step)):
        old = weights[k] + moved[k]
        new = step[k] * root / (metric[k] * root + norm)
        step[k] = new - old
        # where the block becomes 0 it is 0, whatever rounding would leave
        moved[k] = moved[k] + step[k] if new != 0.0 else -weights[k]
        steepest = max(steepest, abs(step[k]) * metric[k])
    return steepest


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _length(pulls: np.ndarray, metric: np.ndarray, length: float, norm: float) -> float:
    """Return the root r of sum_k (z_k / (d_k r + n))^2 = 1, by Newton's method on the inverse root of the sum."""
    low, high = (length - norm) / metric.max(), (length - norm) / metric.min()
    root: float = low
    for _ in range(TURNS):
        total, bend = 0.0, 0.0
        for k in range(len(pulls)):
            part = metric[k] * root + norm
            share = (pulls[k] / part) ** 2
            total += share
            bend += share * metric[k] / part
        size = math.sqrt(total)
        moved = (size - 1.0) * total / bend
        root = min(max(root + moved, low), high)
        if abs(moved) <= EXACT * root:
            break
    return root
