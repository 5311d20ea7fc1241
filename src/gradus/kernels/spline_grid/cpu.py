"""The grid on the processor: rows gather their charges, transforms leave the padding out, points read in parallel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import scipy.fft
import torch
from torch import Tensor

from gradus.kernels.compilation import compiled
from gradus.kernels.threads import worth

CHUNK = 256
# columns of a grid that are transformed together
COLUMNS = 64
# arithmetic steps per node that a point touches, roughly
STEPS = 8


def spread(places: Tensor, shape: tuple[int, int], order: int) -> Tensor:
    """Return the grid of charges; see the package."""
    rows = np.ascontiguousarray(places.detach().numpy())
    charges = np.zeros(shape, rows.dtype)
    columns = np.empty(len(rows), np.int32)
    weights = np.empty((len(rows), 2, order), rows.dtype)
    starts = np.zeros(shape[0] + 1, np.int64)
    with worth(STEPS * len(rows) * order * order):
        ranks = _ranks_by_row(rows, starts)
        _weigh(rows, ranks, columns, weights)
        _gather_rows(starts, columns, weights, charges)
    return torch.from_numpy(charges)


def convolve(charges: Tensor, spectrum: Tensor) -> Tensor:
    """Return the convolved charges; see the package."""
    width = charges.shape[1]
    potential = np.empty_like(charges.numpy())
    with worth(64 * charges.numel()):
        threads = numba.get_num_threads()
        waves = scipy.fft.rfft(charges.numpy(), n=2 * width, axis=1, workers=threads)
        _convolve_columns(waves, spectrum.numpy(), threads)
        potential[:] = scipy.fft.irfft(waves, n=2 * width, axis=1, workers=threads)[:, :width]
    return torch.from_numpy(potential)


def _convolve_columns(waves: np.ndarray, spectrum: np.ndarray, threads: int) -> None:
    """Transform, multiply and transform back a few columns at a time, which stay in the cache meanwhile."""
    height = len(waves)

    def convolve_some(first: int) -> None:
        some = slice(first, first + COLUMNS)
        tall = scipy.fft.fft(waves[:, some], n=2 * height, axis=0)
        tall *= spectrum[:, some]
        waves[:, some] = scipy.fft.ifft(tall, axis=0, overwrite_x=True)[:height]

    firsts = range(0, waves.shape[1], COLUMNS)
    if threads == 1 or len(firsts) == 1:
        for first in firsts:
            convolve_some(first)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(convolve_some, firsts))


def interpolate(potential: Tensor, places: Tensor, order: int) -> tuple[Tensor, Tensor]:
    """Return the spline and its gradient at every place; see the package."""
    rows = np.ascontiguousarray(places.detach().numpy())
    values = np.empty(len(rows), np.float64)
    slopes = np.empty_like(rows)
    with worth(2 * STEPS * len(rows) * order * order):
        _read(np.ascontiguousarray(potential.numpy()), rows, order, values, slopes)
    return torch.from_numpy(values), torch.from_numpy(slopes)


@compiled(inline="always")
def _splines(t: float, weights: np.ndarray) -> None:
    """Fill ``weights`` with the B-spline of order ``weights.size`` at its nodes, by the recursion over orders."""
    one = weights.dtype.type(1)
    weights[0] = one - t
    weights[1] = t
    for k in range(3, weights.size + 1):
        scale = one / weights.dtype.type(k - 1)
        weights[k - 1] = scale * t * weights[k - 2]
        for j in range(k - 2, 0, -1):
            left = weights.dtype.type(k - 1 - j) + t
            right = weights.dtype.type(j + 1) - t
            weights[j] = scale * (left * weights[j - 1] + right * weights[j])
        weights[0] = scale * (one - t) * weights[0]


@compiled()
def _ranks_by_row(places: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the rank of every point when ordered by its row, stably, and fill where each row starts."""
    for i in range(len(places)):
        starts[np.int64(places[i, 0]) + 1] += 1
    for earlier in range(len(starts) - 1):
        starts[earlier + 1] += starts[earlier]
    following = starts.copy()
    ranks = np.empty(len(places), np.int32)
    for i in range(len(places)):
        row = np.int64(places[i, 0])
        ranks[i] = following[row]
        following[row] += 1
    return ranks


@compiled(parallel=True)
def _weigh(places: np.ndarray, ranks: np.ndarray, columns: np.ndarray, weights: np.ndarray) -> None:
    """Put the first column and the weights of every point where its rank says."""
    for i in numba.prange(len(places)):
        rank = ranks[i]
        for axis in range(2):
            base = np.floor(places[i, axis])
            _splines(places[i, axis] - base, weights[rank, axis])
        columns[rank] = np.int32(places[i, 1])


@compiled(parallel=True)
def _gather_rows(starts: np.ndarray, columns: np.ndarray, weights: np.ndarray, charges: np.ndarray) -> None:
    order = weights.shape[2]
    for row in numba.prange(len(charges)):
        for down in range(min(order, row + 1)):
            for point in range(starts[row - down], starts[row - down + 1]):
                share = weights[point, 0, down]
                first = columns[point]
                for along in range(order):
                    charges[row, first + along] += share * weights[point, 1, along]


@compiled(parallel=True)
def _read(potential: np.ndarray, places: np.ndarray, order: int, values: np.ndarray, slopes: np.ndarray) -> None:
    for chunk in numba.prange((len(places) + CHUNK - 1) // CHUNK):
        # row 0: the splines of one order less, whose differences are the slopes; the two axes in turn
        weights = np.zeros((2, order), places.dtype)
        lower = np.zeros((2, order + 1), places.dtype)
        for i in range(chunk * CHUNK, min(len(places), (chunk + 1) * CHUNK)):
            for axis in range(2):
                fraction = places[i, axis] - np.floor(places[i, axis])
                _splines(fraction, weights[axis])
                _splines(fraction, lower[axis, 1:order])
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
