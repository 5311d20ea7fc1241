"""The convolution on the processor: blocks of rows and of columns, each transformed on one thread and in the cache."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

import torch

from gradus.kernels.compilation import compiled
from gradus.kernels.threads import threads, worth

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from torch import Tensor

# rows or columns that are transformed together: they stay in the second level of the cache. Always as many, because a
# library may round differently in another shape
BLOCK = 64


def convolve(charges: Tensor, spectrum: Tensor) -> Tensor:
    """Return the convolved charges; see the package.

    The rows that are only padding are never transformed. What lies along a column is a row between the two passes.
    """
    height, width = charges.shape
    columns, rows = _buffers(height, width, charges.dtype)
    potential = torch.empty_like(charges)

    def waves_of_rows(some: slice) -> None:
        columns[:, some] = torch.fft.rfft(charges[some], n=2 * width).T

    def multiply_columns(some: slice) -> None:
        waves = torch.fft.fft(columns[some], n=2 * height)
        _multiply(torch.view_as_real(waves).numpy(), spectrum[some].numpy())
        rows[:, some] = torch.fft.ifft(waves)[:, :height].T

    def rows_of_waves(some: slice) -> None:
        potential[some] = torch.fft.irfft(rows[some], n=2 * width)[:, :width]

    with worth(64 * charges.numel()), threads(None) as workers:
        _each(waves_of_rows, height, workers)
        _each(multiply_columns, width + 1, workers)
        _each(rows_of_waves, height, workers)
    return potential


_KEPT = threading.local()


def _buffers(height: int, width: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return room for the waves of columns and of rows: the last one of this thread, if it has the shape."""
    key = (height, width, dtype)
    if getattr(_KEPT, "key", None) != key:
        _KEPT.key = key
        _KEPT.buffers = (
            torch.empty(width + 1, height, dtype=dtype.to_complex()),
            torch.empty(height, width + 1, dtype=dtype.to_complex()),
        )
    buffers: tuple[Tensor, Tensor] = _KEPT.buffers
    return buffers


def _each(run: Callable[[slice], None], count: int, workers: int) -> None:
    """Call ``run`` for every block, on this thread and ``workers`` - 1 others."""
    blocks = [slice(first, first + BLOCK) for first in range(0, count, BLOCK)]

    def run_share(share: int) -> None:
        for block in blocks[share::workers]:
            run(block)

    others = [_pool(workers - 1).submit(run_share, share) for share in range(1, min(workers, len(blocks)))]
    run_share(0)
    for other in others:
        other.result()


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    # kept, because every new thread would get its memory from the system anew
    return ThreadPoolExecutor(
        workers, thread_name_prefix="gradus-grid", initializer=torch.set_num_threads, initargs=(1,)
    )


# a forked process has the pool, but not its threads
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)


@compiled()
def _multiply(waves: np.ndarray, spectrum: np.ndarray) -> None:
    """Multiply complex waves (rows, 2 (n - 1), 2) by an even spectrum (rows, n)."""
    size = waves.shape[1]
    for row in range(len(waves)):
        for k in range(spectrum.shape[1]):
            waves[row, k, 0] *= spectrum[row, k]
            waves[row, k, 1] *= spectrum[row, k]
        for k in range(spectrum.shape[1], size):
            waves[row, k, 0] *= spectrum[row, size - k]
            waves[row, k, 1] *= spectrum[row, size - k]
