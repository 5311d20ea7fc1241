"""The descent by Newton steps, each of some sweeps over a quadratic model, and by sweeps over the function itself.

A step's model is swept over until it is nearly at its minimum, and the step shortened until the function falls enough.
Far from the minimum, where the model is wrong, a sweep over the function itself takes the step's place: it cannot fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np
import torch

from gradus.kernels.column_descent import Coordinates, Descended, Terms
from gradus.kernels.column_descent.entries import row_of
from gradus.kernels.column_descent.function import Function, array, logits_of
from gradus.kernels.column_descent.rows import row_slopes, row_step
from gradus.kernels.compilation import compiled
from gradus.kernels.threads import worth

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.columns import SparseColumns

# a step shortened to this is followed by a sweep over the function itself, and a violation above this fraction of the
# absolute values' strength preceded by one
POOR, FAR = 0.5, 0.5


def column_logits(columns: SparseColumns, coordinates: Coordinates, samples: int) -> Tensor:
    """Return the logits; see the package."""
    starts, rows, values = (array(part) for part in columns)
    places, firsts, weights, intercept = (array(part) for part in coordinates)
    logits = np.empty((len(intercept), samples))
    with worth(len(rows) * len(intercept) + logits.size):
        logits_of(starts, rows, values, places, firsts, weights, intercept, logits)
    return torch.from_numpy(logits)


def column_products(columns: SparseColumns, residual: Tensor, coordinates: Coordinates) -> Tensor:
    """Return the products; see the package."""
    starts, rows, values = (array(part) for part in columns)
    by_output = np.ascontiguousarray(residual.t().numpy())
    places, firsts = array(coordinates.places), array(coordinates.firsts)
    products = np.empty(len(places))
    with worth(4 * len(rows) * max(len(places) // max(len(starts), 1), 1)):
        _products(starts, rows, values, by_output, places, firsts, products)
    return torch.from_numpy(products)


def descend(columns: SparseColumns, coordinates: Coordinates, terms: Terms, tolerance: float, sweeps: int) -> Descended:
    """Lower the function; see the package."""
    function = Function.of(columns, coordinates, terms)
    weights, intercept = (array(part).copy() for part in (coordinates.weights, coordinates.intercept))
    place, done, length = function.at(weights, intercept), 0, 1.0
    while True:
        slopes = row_slopes(function, place) if terms.norm > 0 else function.slopes(place)
        if done >= sweeps or (done > 0 and slopes.violation <= tolerance):
            break
        if terms.norm > 0:
            place, taken, length = row_step(function, place, slopes, sweeps - done, safe=length <= POOR)
            if length == 0.0:
                place, taken, length = row_step(function, place, slopes, sweeps - done, safe=True)
        elif length <= POOR or (done == 0 and slopes.violation > FAR * terms.absolute):
            place, taken, length = function.swept(place), 1, 1.0
        else:
            place, taken, length = function.stepped(place, slopes, sweeps - done)
        done += taken
    moved = coordinates._replace(weights=torch.from_numpy(place.weights), intercept=torch.from_numpy(place.intercept))
    return Descended(moved, done, slopes.violation)


@compiled(parallel=True, fastmath={"reassoc", "contract", "nsz"})
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
            total, own = 0.0, residual[k]
            start, stop = starts[places[index]], starts[places[index] + 1]
            whole = stop - start == len(own)
            for entry in range(start, stop):
                total += values[entry] * own[row_of(rows, entry, start, whole)]
            products[index] = total
