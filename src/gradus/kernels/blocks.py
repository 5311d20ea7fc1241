"""Tall matrices a block of rows at a time: the products of a block that is in the cache, and who works on which rows.

What X is stored in need not be what is computed in: such rows are converted a span at a time as they are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numba import types
from numba.extending import overload

from gradus.kernels.chosen_rows import ChosenRows
from gradus.kernels.compilation import compiled
from gradus.kernels.tiles import GROUP, TILE, VECTOR_BYTES, dot_products, extent, outer_products

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    # a matrix, or a matrix and the numbers of some rows
    Block = np.ndarray | tuple[np.ndarray, np.ndarray]

# a block stays in the second level of the cache beside what is multiplied with it, and so does a converted span
BLOCK_BYTES = 131_072
SPAN_BYTES = 1_048_576
# sums over the rows are taken over at most this many parts, each with its own, added in their order
PARTS, FEW_PARTS = 32, 4

_dots_1, _dots_2, _dots_3, _dots_4, _dots_5 = (dot_products(TILE, columns) for columns in range(1, 6))
_dot_1, _dot_2, _dot_3, _dot_4, _dot_5 = (dot_products(1, columns) for columns in range(1, 6))
_outer_1, _outer_2, _outer_3, _outer_4, _outer_5 = (
    outer_products(GROUP, columns, masked=False) for columns in range(1, 6)
)
_edge_1, _edge_2, _edge_3, _edge_4, _edge_5 = (outer_products(1, columns, masked=True) for columns in range(1, 6))


@compiled()
def turns_of(outputs: int) -> int:
    """Return how many passes over a block a product with so many outputs takes."""
    return -(-outputs // TILE)


@compiled()
def rows_of_blocks(features: int, itemsize: int) -> int:
    """Return how many rows a block has: a multiple of ``TILE``, so that only the last leaves a remainder."""
    return TILE * max(BLOCK_BYTES // (TILE * itemsize * max(features, 1)), 4)


def parts_of(samples: int, features: int, outputs: int, dtype: torch.dtype) -> list[slice]:
    """Return the parts of the rows over which sums are taken, whatever the number of threads.

    The parts' sums take a sixteenth of the data's memory, or up to a quarter where that leaves fewer than a few parts;
    each part has a block at least.
    """
    rows = samples // max(outputs, 1)
    affordable = max(rows // 16, min(rows // 4, FEW_PARTS))
    return row_parts(samples, min(affordable, samples // rows_of_blocks(features, dtype.itemsize)))


def row_parts(samples: int, most: int) -> list[slice]:
    """Return the rows in ``most`` parts, at least one and never more than ``PARTS``."""
    count = max(1, min(PARTS, most))
    return [slice(samples * part // count, samples * (part + 1) // count) for part in range(count)]


def spans(matrix: Tensor | ChosenRows, part: slice, dtype: torch.dtype) -> Iterator[tuple[slice, Tensor]]:
    """Yield rows of ``part``, contiguous and in ``dtype``: all of them as they are, or span by span converted."""
    if isinstance(matrix, torch.Tensor) and matrix.dtype == dtype and matrix.is_contiguous():
        yield part, matrix.detach()[part]
        return
    features = matrix.shape[1]
    step = max(SPAN_BYTES // (dtype.itemsize * max(features, 1)), TILE)
    buffer = fresh(min(step, part.stop - part.start), features, dtype)
    for start in range(part.start, part.stop, step):
        rows = slice(start, min(start + step, part.stop))
        block = buffer[: rows.stop - rows.start]
        read = (matrix[rows].copied() if isinstance(matrix, ChosenRows) else matrix[rows]).detach()
        if read.dtype == torch.uint8:
            _widen(read.numpy(), block.numpy())
        else:
            block.copy_(read)
        yield rows, block


def fresh(rows: int, columns: int, dtype: torch.dtype) -> Tensor:
    """Return memory that a part works in, as NumPy asks for it.

    PyTorch asks for aligned memory, and glibc (2.36) does not give out again for that what the part before left behind:
    resident memory would grow from part to part.
    """
    return torch.from_numpy(np.empty((rows, columns), np.float64 if dtype == torch.float64 else np.float32))


def blocks_of(matrix: Tensor | ChosenRows, dtype: torch.dtype) -> Callable[[slice], Iterator[tuple[slice, Block]]]:
    """Return what yields the rows of a part as ``multiply`` takes them: not copied where they need no conversion."""
    if isinstance(matrix, ChosenRows) and matrix.dtype == dtype and matrix.matrix.is_contiguous():
        # what is asked for ahead of the last block
        further = matrix.numbers.new_zeros(rows_of_blocks(matrix.shape[1], dtype.itemsize))
        stored, numbers = matrix.matrix.detach().numpy(), torch.cat([matrix.numbers, further]).numpy()
        return lambda part: iter([(part, (stored, numbers[part]))])
    return lambda part: ((rows, block.numpy()) for rows, block in spans(matrix, part, dtype))


def part_of(block: Any, start: int, stop: int) -> Any:
    """Return the rows from ``start`` to before ``stop`` of a matrix, or of a matrix and the numbers of its rows."""
    raise NotImplementedError("for Numba code only: its overload chooses by what a block is")


@overload(part_of, inline="always")
def _part_of_rows(block, start, stop):  # type: ignore[no-untyped-def]
    if isinstance(block, types.BaseTuple):
        return lambda block, start, stop: (block[0], block[1][start:stop])
    return lambda block, start, stop: block[start:stop]


@compiled()
def _widen(integers: np.ndarray, numbers: np.ndarray) -> None:
    # torch converts bytes one by one
    for i in range(len(integers)):
        for j in range(integers.shape[1]):
            numbers[i, j] = integers[i, j]


@compiled()
def asked(turn: int, turns: int, size: int, lanes: int) -> tuple[int, int]:
    """Return where, ``size`` numbers ahead of a group of registers, the two lie that are asked for in a ``turn``.

    A group's registers are shared out among the turns, so that memory has the whole time to bring the next block; where
    there are more turns than registers, or none, two that are there already are named.
    """
    each = min(-(-GROUP // turns), 2) if turns > 0 else 0
    first, second = turn * each, turn * each + 1
    return (
        size + first * lanes if each > 0 and first < GROUP else 0,
        size + second * lanes if each > 1 and second < GROUP else 0,
    )


@compiled()
def multiply(block: Block, weights: np.ndarray, out: np.ndarray, turn: int, turns: int) -> None:
    """Set out[i, k] = sum_j block[i, j] weights[k, j], and have the next block fetched meanwhile.

    block : a matrix, or a matrix and the numbers of its rows; see ``gradus.kernels.tiles.dot_products``
    turn, turns : how many passes over this block there were, and will be in all; no turns where no block follows
    """
    rows, features = extent(block)
    outputs = len(weights)
    whole = rows // TILE * TILE
    lanes = VECTOR_BYTES // out.itemsize
    for k in range(0, outputs, TILE):
        left = min(outputs - k, TILE)
        first, second = asked(turn + k // TILE, turns, rows * features, lanes)
        for i in range(0, whole, TILE):
            if left == 5:
                _dots_5(block, weights, out, i, k, first, second)
            elif left == 4:
                _dots_4(block, weights, out, i, k, first, second)
            elif left == 3:
                _dots_3(block, weights, out, i, k, first, second)
            elif left == 2:
                _dots_2(block, weights, out, i, k, first, second)
            else:
                _dots_1(block, weights, out, i, k, first, second)
        for i in range(whole, rows):
            if left == 5:
                _dot_5(block, weights, out, i, k, first, second)
            elif left == 4:
                _dot_4(block, weights, out, i, k, first, second)
            elif left == 3:
                _dot_3(block, weights, out, i, k, first, second)
            elif left == 2:
                _dot_2(block, weights, out, i, k, first, second)
            else:
                _dot_1(block, weights, out, i, k, first, second)


@compiled()
def add_products(block: Block, factors: np.ndarray, sums: np.ndarray, turn: int, turns: int) -> None:
    """Add sum_i factors[i, k] block[i, j] to sums[k, j], and have the next block fetched meanwhile.

    The block may be wider than the sums where these are whole registers wide. ``block``, ``turn`` and ``turns`` as for
    ``multiply``.
    """
    rows, width = extent(block)
    features, outputs = sums.shape[1], factors.shape[1]
    lanes = VECTOR_BYTES // sums.itemsize
    whole = features // (GROUP * lanes) * (GROUP * lanes)
    for k in range(0, outputs, TILE):
        left = min(outputs - k, TILE)
        first, second = asked(turn + k // TILE, turns, rows * width, lanes)
        # what is left of a row beyond the last group
        rest = first if turn + k == 0 else 0
        for j in range(0, whole, GROUP * lanes):
            if left == 5:
                _outer_5(block, factors, sums, j, k, first, second)
            elif left == 4:
                _outer_4(block, factors, sums, j, k, first, second)
            elif left == 3:
                _outer_3(block, factors, sums, j, k, first, second)
            elif left == 2:
                _outer_2(block, factors, sums, j, k, first, second)
            else:
                _outer_1(block, factors, sums, j, k, first, second)
        for j in range(whole, features, lanes):
            if left == 5:
                _edge_5(block, factors, sums, j, k, rest, 0)
            elif left == 4:
                _edge_4(block, factors, sums, j, k, rest, 0)
            elif left == 3:
                _edge_3(block, factors, sums, j, k, rest, 0)
            elif left == 2:
                _edge_2(block, factors, sums, j, k, rest, 0)
            else:
                _edge_1(block, factors, sums, j, k, rest, 0)
