"""The products with every number added up in the order of the samples, whatever the number of threads.

X W goes over the rows in parallel. For X' R and for columns every part goes over all rows and keeps to its own places,
groups of eight dealt out in turn, so that the frequent columns, which often lie side by side, are shared. Which entries
are its own nobody can foresee: they are listed some hundred at a time without a branch, and then visited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np
import torch

from gradus.core.columns import SparseColumns
from gradus.kernels.compilation import compiled
from gradus.kernels.threads import worth

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.compressed_rows import CompressedRows

CHUNK = 64
# entries that are sorted out at a time
SOME = 512
MOST_PARTS = 16
GROUP = 3


def product(matrix: CompressedRows, weights: Tensor, places: Tensor) -> Tensor:
    """Return X W; see the package."""
    result = np.zeros((len(matrix.starts) - 1, weights.shape[1]), _array(weights).dtype)
    with worth(2 * len(matrix.values) * weights.shape[1]):
        _product(*_arrays(matrix), _array(weights), _array(places), result)
    return torch.from_numpy(result)


def transposed_product(matrix: CompressedRows, residual: Tensor, places: Tensor, count: int) -> Tensor:
    """Return rows of X' R; see the package."""
    result = np.zeros((count, residual.shape[1]), _array(residual).dtype)
    with worth(2 * len(matrix.values) * residual.shape[1]):
        _transposed_product(*_arrays(matrix), _array(residual), _array(places), result, _parts())
    return torch.from_numpy(result)


def column_sums(matrix: CompressedRows, weights: Tensor, features: int) -> Tensor:
    """Return the sums of absolute values and of squares; see the package."""
    sums = np.zeros((features, 2))
    _column_sums(*_arrays(matrix), _array(weights), sums)
    return torch.from_numpy(sums)


def selected_columns(matrix: CompressedRows, places: Tensor, count: int) -> SparseColumns:
    """Return a copy of some columns; see the package."""
    arrays, at = _arrays(matrix), _array(places)
    with worth(4 * len(matrix.values)):
        sizes = np.zeros(count, np.int64)
        _count(arrays[1], arrays[2], at, sizes, _parts())
        starts = np.zeros(count + 1, np.int64)
        np.cumsum(sizes, out=starts[1:])
        samples, values = np.empty(starts[-1], np.int32), np.empty(starts[-1], arrays[0].dtype)
        _copy(*arrays, at, starts[:-1].copy(), samples, values, _parts())
    return SparseColumns(*(torch.from_numpy(part) for part in (starts, samples, values)))


def _arrays(matrix: CompressedRows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values, columns, starts = (_array(part) for part in matrix)
    return values, columns, starts


def _array(tensor: Tensor) -> np.ndarray:
    return np.ascontiguousarray(tensor.detach().numpy())


def _parts() -> int:
    """Return a power of two, at least the number of threads where that is not very many."""
    return min(1 << (numba.get_num_threads() - 1).bit_length(), MOST_PARTS)


@compiled(parallel=True)
def _product(
    values: np.ndarray,
    columns: np.ndarray,
    starts: np.ndarray,
    weights: np.ndarray,
    places: np.ndarray,
    result: np.ndarray,
) -> None:
    samples, outputs = result.shape
    for chunk in numba.prange((samples + CHUNK - 1) // CHUNK):
        for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, samples)):
            for entry in range(starts[i], starts[i + 1]):
                place = places[columns[entry]]
                if place >= 0:
                    value = result.dtype.type(values[entry])
                    for k in range(outputs):
                        result[i, k] += value * weights[place, k]


@compiled(parallel=True)
def _transposed_product(
    values: np.ndarray,
    columns: np.ndarray,
    starts: np.ndarray,
    residual: np.ndarray,
    places: np.ndarray,
    result: np.ndarray,
    parts: int,
) -> None:
    samples, outputs = residual.shape
    for part in numba.prange(parts):
        entries, own = np.empty(SOME, np.int64), np.empty(SOME, np.int32)
        for i in range(samples):
            for first in range(starts[i], starts[i + 1], SOME):
                last = min(first + SOME, starts[i + 1])
                for index in range(_owned(columns, places, (first, last), (part, parts), entries, own)):
                    place, value = own[index], result.dtype.type(values[entries[index]])
                    for k in range(outputs):
                        result[place, k] += value * residual[i, k]


@compiled()
def _column_sums(
    values: np.ndarray, columns: np.ndarray, starts: np.ndarray, weights: np.ndarray, sums: np.ndarray
) -> None:
    for i in range(len(weights)):
        weight = np.float64(weights[i])
        for entry in range(starts[i], starts[i + 1]):
            value = np.float64(values[entry])
            sums[columns[entry], 0] += weight * abs(value)
            sums[columns[entry], 1] += weight * value * value


@compiled(parallel=True)
def _count(columns: np.ndarray, starts: np.ndarray, places: np.ndarray, sizes: np.ndarray, parts: int) -> None:
    for part in numba.prange(parts):
        entries, own = np.empty(SOME, np.int64), np.empty(SOME, np.int32)
        for first in range(starts[0], starts[-1], SOME):
            last = min(first + SOME, starts[-1])
            for index in range(_owned(columns, places, (first, last), (part, parts), entries, own)):
                sizes[own[index]] += 1


@compiled(parallel=True)
def _copy(
    values: np.ndarray,
    columns: np.ndarray,
    starts: np.ndarray,
    places: np.ndarray,
    next_entry: np.ndarray,
    samples_out: np.ndarray,
    values_out: np.ndarray,
    parts: int,
) -> None:
    for part in numba.prange(parts):
        entries, own = np.empty(SOME, np.int64), np.empty(SOME, np.int32)
        for i in range(len(starts) - 1):
            for first in range(starts[i], starts[i + 1], SOME):
                last = min(first + SOME, starts[i + 1])
                for index in range(_owned(columns, places, (first, last), (part, parts), entries, own)):
                    target = next_entry[own[index]]
                    samples_out[target] = i
                    values_out[target] = values[entries[index]]
                    next_entry[own[index]] = target + 1


@compiled(inline="always")
def _owned(
    columns: np.ndarray,
    places: np.ndarray,
    between: tuple[int, int],
    share: tuple[int, int],
    entries: np.ndarray,
    own: np.ndarray,
) -> int:
    """List the entries of a part, at most SOME, and their places; return how many there are."""
    part, parts = share
    count = 0
    for entry in range(between[0], between[1]):
        place = places[columns[entry]]
        entries[count], own[count] = entry, place
        count += int((place >= 0) & ((place >> GROUP) & (parts - 1) == part))
    return count
