"""Panels of columns, some rows of which are converted at a time, in parallel; every sum in the order of the samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from gradus.kernels.blocks import add_products
from gradus.kernels.compilation import compiled
from gradus.kernels.threads import each_part

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

# columns that are gone through together, and their numbers that are converted together: 128 kB in float64
WIDTH, NUMBERS = 256, 16_384
# sums that are in the cache together
SUMS = 2048
# rows that are turned into columns together: a line of the cache
TURNED = 16
# what reading and converting a number is worth, in arithmetic steps
READ = 6


def transposed_product(matrix: Tensor, residual: Tensor, columns: Tensor) -> Tensor:
    """Return rows of X' R; see the package."""
    factors = residual.detach().contiguous().numpy()
    result = np.empty((len(columns), residual.shape[1]))

    def run(part: slice, numbers: np.ndarray, places: np.ndarray) -> None:
        _transposed_product(numbers, places, factors, result[part])

    # a row's numbers are far from the next row's, and reading many at a time is what is fast
    width = max(SUMS // residual.shape[1], WIDTH)
    _by_panels(matrix, columns, run, width, READ * len(columns) * len(residual) + 2 * len(columns) * residual.numel())
    return torch.from_numpy(result)


def column_sums(matrix: Tensor, weights: Tensor) -> Tensor:
    """Return the sums of absolute values and of squares; see the package."""
    shares, result = weights.detach().contiguous().numpy(), np.zeros((matrix.shape[1], 2))

    def run(part: slice, numbers: np.ndarray, places: np.ndarray) -> None:
        _column_sums(numbers, places, shares, result[part])

    _by_panels(matrix, torch.arange(matrix.shape[1]), run, SUMS, READ * matrix.numel())
    return torch.from_numpy(result)


def selected_columns(matrix: Tensor, columns: Tensor) -> Tensor:
    """Return a copy of some columns; see the package."""
    dtype: type[np.floating] = np.float64 if matrix.dtype == torch.float64 else np.float32
    result = np.empty((len(columns), matrix.shape[0]), dtype)

    def run(part: slice, numbers: np.ndarray, places: np.ndarray) -> None:
        _selected_columns(numbers, places, result[part])

    _by_panels(matrix, columns, run, NUMBERS // TURNED, READ * result.size)
    return torch.from_numpy(result)


def _by_panels(
    matrix: Tensor,
    columns: Tensor,
    run: Callable[[slice, np.ndarray, np.ndarray], None],
    width: int,
    operations: int,
) -> None:
    """Call ``run`` with the place of every panel of so many columns, a matrix, and the panel's columns of that."""

    def of(part: slice) -> None:
        places = columns[part]
        if matrix.dtype == torch.float16:
            # Numba has no such numbers
            run(part, matrix.index_select(1, places).float().numpy(), np.arange(len(places)))
        else:
            run(part, matrix.detach().numpy(), places.numpy())

    each_part([slice(start, start + width) for start in range(0, len(columns), width)], of, operations)


@compiled()
def _transposed_product(matrix: np.ndarray, columns: np.ndarray, factors: np.ndarray, result: np.ndarray) -> None:
    width = len(columns)
    together = NUMBERS // width
    sums, panel = np.zeros((factors.shape[1], width)), np.empty((together, width))
    for start in range(0, len(matrix), together):
        rows = min(together, len(matrix) - start)
        _convert(matrix, columns, start, panel[:rows])
        add_products(panel[:rows], factors[start : start + rows], sums, 0, 0)
    for place in range(width):
        for k in range(len(sums)):
            result[place, k] = sums[k, place]


@compiled()
def _convert(matrix: np.ndarray, columns: np.ndarray, start: int, panel: np.ndarray) -> None:
    width, first = panel.shape[1], columns[0]
    neighbours = columns[-1] - first == width - 1
    for i in range(len(panel)):
        row, own = matrix[start + i], panel[i]
        if neighbours:
            for j in range(width):
                own[j] = row[first + j]
        else:
            for j in range(width):
                own[j] = row[columns[j]]


@compiled(fastmath={"contract", "nsz"})
def _column_sums(matrix: np.ndarray, columns: np.ndarray, weights: np.ndarray, result: np.ndarray) -> None:
    width, first = len(columns), columns[0]
    sizes, squares = np.zeros(width), np.zeros(width)
    for i in range(len(matrix)):
        row, weight = matrix[i, first : first + width], weights[i]
        for j in range(width):
            number = np.float64(row[j])
            sizes[j] += weight * abs(number)
            squares[j] += weight * number * number
    result[:, 0], result[:, 1] = sizes, squares


@compiled()
def _selected_columns(matrix: np.ndarray, columns: np.ndarray, result: np.ndarray) -> None:
    panel = np.empty((TURNED, len(columns)), result.dtype)
    for start in range(0, len(matrix), TURNED):
        rows = min(TURNED, len(matrix) - start)
        _convert(matrix, columns, start, panel[:rows])
        for place in range(len(columns)):
            for i in range(rows):
                result[place, start + i] = panel[i, place]
