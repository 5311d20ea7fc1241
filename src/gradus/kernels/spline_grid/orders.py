"""Points weighed, charges gathered and a potential read, compiled for one order each: its loops are unrolled."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from gradus.kernels.compilation import compiled
from gradus.kernels.spline_grid.splines import fill_splines

CHUNK = 256


def weigher(order: int) -> Any:
    """Return the function that puts the first node on every axis and the weights of every point where its rank says."""

    @compiled(parallel=True)
    def weigh(places: np.ndarray, ranks: np.ndarray, firsts: np.ndarray, weights: np.ndarray) -> None:
        for chunk in numba.prange((len(places) + CHUNK - 1) // CHUNK):
            splines = np.zeros(order, places.dtype)
            for i in range(chunk * CHUNK, min(len(places), (chunk + 1) * CHUNK)):
                for axis in range(2):
                    base = np.floor(places[i, axis])
                    fill_splines(places[i, axis] - base, splines)
                    firsts[ranks[i], axis] = np.int32(base)
                    for node in range(order):
                        weights[ranks[i], axis, node] = splines[node]

    return weigh


def gatherer(order: int) -> Any:
    """Return the function that adds the points' charges to the grid; the order is known when it is compiled."""

    @compiled(parallel=True)
    def gather(starts: np.ndarray, firsts: np.ndarray, weights: np.ndarray, charges: np.ndarray) -> None:
        for row in numba.prange(len(charges)):
            for down in range(min(order, row + 1)):
                for point in range(starts[row - down], starts[row - down + 1]):
                    share = weights[point, 0, down]
                    first = np.int64(firsts[point, 1])
                    for along in range(order):
                        charges[row, first + along] += share * weights[point, 1, along]

    return gather


def reader(order: int) -> Any:
    """Return the function that reads the potential and its slopes at every place."""

    @compiled(parallel=True)
    def read(potential: np.ndarray, places: np.ndarray, values: np.ndarray, slopes: np.ndarray) -> None:
        for chunk in numba.prange((len(places) + CHUNK - 1) // CHUNK):
            # the splines of one order less, whose differences are the slopes
            weights = np.zeros((2, order), places.dtype)
            lower = np.zeros((2, order + 1), places.dtype)
            for i in range(chunk * CHUNK, min(len(places), (chunk + 1) * CHUNK)):
                for axis in range(2):
                    fraction = places[i, axis] - np.floor(places[i, axis])
                    fill_splines(fraction, weights[axis])
                    fill_splines(fraction, lower[axis, 1:order])
                row, column = np.int64(places[i, 0]), np.int64(places[i, 1])
                value, down, along = places.dtype.type(0), places.dtype.type(0), places.dtype.type(0)
                for r in range(order):
                    inner, slope = places.dtype.type(0), places.dtype.type(0)
                    for c in range(order):
                        node = potential[row + r, column + c]
                        inner += node * weights[1, c]
                        slope += node * (lower[1, c] - lower[1, c + 1])
                    value += inner * weights[0, r]
                    down += inner * (lower[0, r] - lower[0, r + 1])
                    along += slope * weights[0, r]
                values[i] = value
                slopes[i, 0] = down
                slopes[i, 1] = along

    return read


WEIGH = {4: weigher(4), 6: weigher(6)}
GATHER = {4: gatherer(4), 6: gatherer(6)}
READ = {4: reader(4), 6: reader(6)}
