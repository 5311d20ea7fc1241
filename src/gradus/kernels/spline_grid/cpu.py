"""The grid on the processor: rows gather their charges, transforms leave the padding out, points read in parallel."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numba
import numpy as np
import scipy.fft
import torch
from torch import Tensor

from gradus.kernels.spline_grid.orders import GATHER, READ, WEIGH
from gradus.kernels.spline_grid.splines import ranks_by_row
from gradus.kernels.threads import worth

# arithmetic steps per node that a point touches, roughly
STEPS = 8
# columns of a grid that are transformed together: they stay in the second level of the cache
COLUMNS = 64


def spread(places: Tensor, shape: tuple[int, int], order: int) -> Tensor:
    """Return the grid of charges; see the package."""
    rows = np.ascontiguousarray(places.detach().numpy())
    charges = np.zeros(shape, rows.dtype)
    firsts = np.empty(rows.shape, np.int32)
    weights = np.empty((*rows.shape, order), rows.dtype)
    starts = np.zeros(shape[0] + 1, np.int64)
    with worth(STEPS * len(rows) * order * order):
        WEIGH[order](rows, ranks_by_row(rows, starts), firsts, weights)
        GATHER[order](starts, firsts, weights, charges)
    return torch.from_numpy(charges)


def convolve(charges: Tensor, spectrum: Tensor) -> Tensor:
    """Return the convolved charges; see the package."""
    width = charges.shape[1]
    potential = np.empty_like(charges.numpy())
    with worth(64 * charges.numel()):
        threads = numba.get_num_threads()
        waves = scipy.fft.rfft(charges.numpy(), n=2 * width, workers=threads)
        _convolve_columns(waves, spectrum.numpy(), threads)
        potential[:] = scipy.fft.irfft(waves, n=2 * width, workers=threads)[:, :width]
    return torch.from_numpy(potential)


def _convolve_columns(waves: np.ndarray, spectrum: np.ndarray, threads: int) -> None:
    """Transform, multiply and transform back a few columns at a time, which stay in the cache meanwhile."""
    height = len(waves)

    def convolve_some(firsts: range) -> None:
        for first in firsts:
            some = slice(first, first + COLUMNS)
            tall = scipy.fft.fft(waves[:, some], n=2 * height, axis=0)
            tall *= spectrum[:, some]
            waves[:, some] = scipy.fft.ifft(tall, axis=0, overwrite_x=True)[:height]

    firsts = range(0, waves.shape[1], COLUMNS)
    if threads == 1 or len(firsts) == 1:
        convolve_some(firsts)
    else:
        list(_pool(threads).map(convolve_some, [firsts[share::threads] for share in range(threads)]))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    # kept, because every new thread would get its memory from the system anew
    return ThreadPoolExecutor(threads, thread_name_prefix="gradus-grid")


# a forked process has the pool, but not its threads
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)


def interpolate(potential: Tensor, places: Tensor, order: int) -> tuple[Tensor, Tensor]:
    """Return the spline and its gradient at every place; see the package."""
    rows = np.ascontiguousarray(places.detach().numpy())
    values = np.empty(len(rows), np.float64)
    slopes = np.empty_like(rows)
    with worth(2 * STEPS * len(rows) * order * order):
        READ[order](np.ascontiguousarray(potential.numpy()), rows, values, slopes)
    return torch.from_numpy(values), torch.from_numpy(slopes)
