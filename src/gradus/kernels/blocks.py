"""Tall matrices a block of rows at a time: the products of a block that is in the cache, and who works on which rows.

What X is stored in need not be what is computed in: such rows are converted a span at a time as they are read.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import torch

from gradus.kernels.compilation import compiled
from gradus.kernels.threads import threads, worth
from gradus.kernels.tiles import TILE, VECTOR_BYTES, dot_products, outer_products

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from torch import Tensor

Result = TypeVar("Result")

# a block stays in the second level of the cache beside what is multiplied with it, and so does a converted span
BLOCK_BYTES = 131_072
SPAN_BYTES = 1_048_576
# sums over the rows are taken over at most this many parts, each with its own, added in their order
PARTS = 32
VECTORS = TILE - 1

_dots_1, _dots_2, _dots_3, _dots_4, _dots_5 = (dot_products(TILE, columns) for columns in range(1, 6))
_dot_1, _dot_2, _dot_3, _dot_4, _dot_5 = (dot_products(1, columns) for columns in range(1, 6))
_outer_1, _outer_2, _outer_3, _outer_4, _outer_5 = (
    outer_products(VECTORS, columns, masked=False) for columns in range(1, 6)
)
_edge_1, _edge_2, _edge_3, _edge_4, _edge_5 = (outer_products(1, columns, masked=True) for columns in range(1, 6))


@compiled()
def rows_of_blocks(features: int, itemsize: int) -> int:
    """Return how many rows a block has: a multiple of ``TILE``, so that only the last leaves a remainder."""
    return TILE * max(BLOCK_BYTES // (TILE * itemsize * max(features, 1)), 4)


def parts_of(samples: int, features: int, outputs: int, dtype: torch.dtype) -> list[slice]:
    """Return the parts of the rows over which sums are taken, whatever the number of threads.

    The parts' sums stay small beside the data, and each part has a block at least.
    """
    affordable = samples * max(features, 1) // (4 * max(features * outputs, 1))
    return row_parts(samples, min(affordable, samples // rows_of_blocks(features, dtype.itemsize)))


def row_parts(samples: int, most: int) -> list[slice]:
    """Return the rows in ``most`` parts, at least one and never more than ``PARTS``."""
    count = max(1, min(PARTS, most))
    return [slice(samples * part // count, samples * (part + 1) // count) for part in range(count)]


def each_part(parts: list[slice], run: Callable[[slice], Result], operations: int) -> list[Result]:
    """Return what ``run`` returns for each part, on as many threads as ``operations`` arithmetic steps keep busy.

    Torch works on one thread inside: how it splits a product among threads would change its rounding.
    """
    with worth(operations), threads(None) as workers:
        if workers == 1 or len(parts) == 1:
            return [run(part) for part in parts]
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(run, parts))


def spans(matrix: Tensor, part: slice, dtype: torch.dtype) -> Iterator[tuple[slice, Tensor]]:
    """Yield rows of ``part``, contiguous and in ``dtype``: all of them as they are, or span by span converted."""
    if matrix.dtype == dtype and matrix.is_contiguous():
        yield part, matrix[part]
        return
    features = matrix.shape[1]
    step = max(SPAN_BYTES // (dtype.itemsize * max(features, 1)), TILE)
    buffer = torch.empty(min(step, part.stop - part.start), features, dtype=dtype)
    for start in range(part.start, part.stop, step):
        rows = slice(start, min(start + step, part.stop))
        block = buffer[: rows.stop - rows.start]
        if matrix.dtype == torch.uint8:
            _widen(matrix[rows].numpy(), block.numpy())
        else:
            block.copy_(matrix[rows])
        yield rows, block


@compiled()
def _widen(integers: np.ndarray, numbers: np.ndarray) -> None:
    # torch converts bytes one by one
    for i in range(len(integers)):
        for j in range(integers.shape[1]):
            numbers[i, j] = integers[i, j]


@compiled()
def multiply(block: np.ndarray, weights: np.ndarray, out: np.ndarray) -> None:
    """Set out[i, k] = sum_j block[i, j] weights[k, j]."""
    rows, outputs = len(block), len(weights)
    whole = rows // TILE * TILE
    for k in range(0, outputs, TILE):
        left = min(outputs - k, TILE)
        for i in range(0, whole, TILE):
            if left == 5:
                _dots_5(block, weights, out, i, k)
            elif left == 4:
                _dots_4(block, weights, out, i, k)
            elif left == 3:
                _dots_3(block, weights, out, i, k)
            elif left == 2:
                _dots_2(block, weights, out, i, k)
            else:
                _dots_1(block, weights, out, i, k)
        for i in range(whole, rows):
            if left == 5:
                _dot_5(block, weights, out, i, k)
            elif left == 4:
                _dot_4(block, weights, out, i, k)
            elif left == 3:
                _dot_3(block, weights, out, i, k)
            elif left == 2:
                _dot_2(block, weights, out, i, k)
            else:
                _dot_1(block, weights, out, i, k)


@compiled()
def add_products(block: np.ndarray, factors: np.ndarray, sums: np.ndarray) -> None:
    """Add sum_i factors[i, k] block[i, j] to sums[k, j], and have the next block fetched meanwhile.

    The block may be wider than the sums where these are whole registers wide.
    """
    features, outputs = sums.shape[1], factors.shape[1]
    lanes = VECTOR_BYTES // block.itemsize
    whole = features // (VECTORS * lanes) * (VECTORS * lanes)
    for k in range(0, outputs, TILE):
        left = min(outputs - k, TILE)
        ahead = block.size if k == 0 else 0
        for j in range(0, whole, VECTORS * lanes):
            if left == 5:
                _outer_5(block, factors, sums, j, k, ahead)
            elif left == 4:
                _outer_4(block, factors, sums, j, k, ahead)
            elif left == 3:
                _outer_3(block, factors, sums, j, k, ahead)
            elif left == 2:
                _outer_2(block, factors, sums, j, k, ahead)
            else:
                _outer_1(block, factors, sums, j, k, ahead)
        for j in range(whole, features, lanes):
            if left == 5:
                _edge_5(block, factors, sums, j, k, ahead)
            elif left == 4:
                _edge_4(block, factors, sums, j, k, ahead)
            elif left == 3:
                _edge_3(block, factors, sums, j, k, ahead)
            elif left == 2:
                _edge_2(block, factors, sums, j, k, ahead)
            else:
                _edge_1(block, factors, sums, j, k, ahead)
