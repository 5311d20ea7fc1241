"""The convolution on the processor: blocks of rows and of columns, each transformed on one thread and in the cache."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import torch

from gradus.kernels.compilation import compiled
from gradus.kernels.threads import each_part

if TYPE_CHECKING:
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

    operations = 64 * charges.numel()
    each_part(_blocks(height), waves_of_rows, operations)
    each_part(_blocks(width + 1), multiply_columns, operations)
    each_part(_blocks(height), rows_of_waves, operations)
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


def _blocks(count: int) -> list[slice]:
    return [slice(first, first + BLOCK) for first in range(0, count, BLOCK)]


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
