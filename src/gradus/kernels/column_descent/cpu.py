"""The descent with exp(z) and the inverse of its sum over the outputs at hand for every sample.

A step multiplies exp(z) of one output and mends the sums; nothing else depends on the other outputs, so that the
numbers an output needs stay in the cache. All of it is made anew from the weights when the descent begins, and after
every sweep where logits are so far apart that products underflow.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numba
import numpy as np
import torch

from gradus.kernels.column_descent import Coordinates, Descended, Terms
from gradus.kernels.column_descent.sweeps import descended
from gradus.kernels.compilation import compiled
from gradus.kernels.elementary import exponential
from gradus.kernels.threads import worth

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.columns import SparseColumns

# an exponential and what surrounds it, in arithmetic steps
STEPS = 30
# where exp(z) is below this all are made anew after every sweep
SMALL = 1e-100


def column_logits(columns: SparseColumns, coordinates: Coordinates, samples: int) -> Tensor:
    """Return the logits; see the package."""
    starts, rows, values = _arrays(columns)
    places, firsts, weights, intercept = (_array(part) for part in coordinates)
    logits = np.empty((len(intercept), samples))
    with worth(len(rows) * len(intercept) + logits.size):
        _logits(starts, rows, values, places, firsts, weights, intercept, logits)
    return torch.from_numpy(logits)


def column_products(columns: SparseColumns, residual: Tensor, coordinates: Coordinates) -> Tensor:
    """Return the products; see the package."""
    starts, rows, values = _arrays(columns)
    by_output = np.ascontiguousarray(residual.t().numpy())
    places, firsts = _array(coordinates.places), _array(coordinates.firsts)
    products = np.empty(len(places))
    with worth(4 * len(rows) * max(len(places) // max(len(starts), 1), 1)):
        _products(starts, rows, values, by_output, places, firsts, products)
    return torch.from_numpy(products)


def descend(columns: SparseColumns, coordinates: Coordinates, terms: Terms, tolerance: float, sweeps: int) -> Descended:
    """Lower the function; see the package."""
    starts, rows, values = _arrays(columns)
    shares = _array(terms.shares)
    weighted, longest = np.empty(len(values)), np.empty(max(len(starts) - 1, 0))
    _weighted(starts, rows, values, shares, weighted, longest)
    slopes = coordinates.intercept if terms.intercept_slopes is None else terms.intercept_slopes
    parts = (shares, _array(terms.slopes), _array(slopes), terms.absolute, terms.square)
    weights, intercept = coordinates.weights.clone(), coordinates.intercept.clone()
    moving = Coordinates(coordinates.places, coordinates.firsts, weights, intercept)
    done, violation, settled = 0, math.inf, False
    while done < sweeps and not settled:
        exponentials, inverses = _made(columns, moving, len(shares))
        # a product of exponentials cannot come back from 0
        most = 1 if exponentials.min(initial=1.0) < SMALL else sweeps - done
        swept, violation, settled = descended(
            (starts, rows, values, weighted, longest),
            (_array(moving.places), _array(moving.firsts), _array(weights), _array(intercept)),
            (*parts, terms.intercept_slopes is not None),
            (exponentials, inverses),
            (tolerance, most),
        )
        done += swept
    return Descended(moving, done, violation)


def _made(columns: SparseColumns, coordinates: Coordinates, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return exp(z - max z), (outputs, samples), and 1 over its sum over the outputs."""
    exponentials = column_logits(columns, coordinates, samples).numpy()
    inverses = np.empty(samples)
    with worth(STEPS * exponentials.size):
        _exponentials(exponentials, inverses)
    return exponentials, inverses


def _arrays(columns: SparseColumns) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    starts, rows, values = (_array(part) for part in columns)
    return starts, rows, values


def _array(tensor: Tensor) -> np.ndarray:
    return np.ascontiguousarray(tensor.detach().numpy())


@compiled(parallel=True)
def _logits(
    starts: np.ndarray,
    rows: np.ndarray,
    values: np.ndarray,
    places: np.ndarray,
    firsts: np.ndarray,
    weights: np.ndarray,
    intercept: np.ndarray,
    logits: np.ndarray,
) -> None:
    for k in numba.prange(len(intercept)):
        for i in range(logits.shape[1]):
            logits[k, i] = intercept[k]
        for index in range(firsts[k], firsts[k + 1]):
            weight = weights[index]
            if weight != 0.0:
                for entry in range(starts[places[index]], starts[places[index] + 1]):
                    logits[k, rows[entry]] += weight * values[entry]


@compiled(parallel=True)
def _products(
    starts: np.ndarray,
    rows: np.ndarray,
    values: np.ndarray,
    residual: np.ndarray,
    places: np.ndarray,
    firsts: np.ndarray,
    products: np.ndarray,
) -> None:
    for k in numba.prange(len(residual)):
        for index in range(firsts[k], firsts[k + 1]):
            total = 0.0
            for entry in range(starts[places[index]], starts[places[index] + 1]):
                total += values[entry] * residual[k, rows[entry]]
            products[index] = total


@compiled(parallel=True, fastmath={"contract", "nsz"})
def _exponentials(logits: np.ndarray, inverses: np.ndarray) -> None:
    """Put exp(z - max z) in the place of z, and 1 over its sum beside it."""
    outputs, samples = logits.shape
    chunk = 512
    for part in numba.prange((samples + chunk - 1) // chunk):
        start, stop = part * chunk, min((part + 1) * chunk, samples)
        top, total = np.empty(chunk), np.zeros(chunk)
        for i in range(start, stop):
            top[i - start] = logits[0, i]
        for k in range(1, outputs):
            for i in range(start, stop):
                top[i - start] = max(top[i - start], logits[k, i])
        for k in range(outputs):
            for i in range(start, stop):
                logits[k, i] = exponential(logits[k, i] - top[i - start])
                total[i - start] += logits[k, i]
        for i in range(start, stop):
            inverses[i] = 1.0 / total[i - start]


@compiled()
def _weighted(
    starts: np.ndarray,
    rows: np.ndarray,
    values: np.ndarray,
    shares: np.ndarray,
    weighted: np.ndarray,
    longest: np.ndarray,
) -> None:
    for place in range(len(longest)):
        largest = 0.0
        for entry in range(starts[place], starts[place + 1]):
            weighted[entry] = np.float64(values[entry]) * shares[rows[entry]]
            if shares[rows[entry]] > 0.0:
                largest = max(largest, abs(np.float64(values[entry])))
        longest[place] = largest
