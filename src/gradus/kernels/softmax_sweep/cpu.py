"""A block of rows at a time: logits, residual and what it adds to the gradient, while the block is in the cache.

The rows are cut into parts, which do not depend on the number of threads; each has sums of its own, added in order. For
many classes a general matrix product on a block is faster than narrow tiles; it runs on one thread in each part.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from gradus.kernels.blocks import (
    add_products,
    blocks_of,
    fresh,
    multiply,
    part_of,
    parts_of,
    row_parts,
    rows_of_blocks,
    spans,
    turns_of,
)
from gradus.kernels.compilation import compiled
from gradus.kernels.softmax_residual.rows import add_columns, residual_rows, turn_by_hessian
from gradus.kernels.softmax_sweep.labels import add_dense
from gradus.kernels.softmax_sweep.sums import STEPS, Sums, added
from gradus.kernels.threads import each_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradus.kernels.blocks import Block
    from gradus.kernels.chosen_rows import ChosenRows
    from gradus.kernels.softmax_sweep import Labelled, Linear, Slopes

    Matrix = Tensor | ChosenRows

# from here on a general matrix product on blocks of rows is faster: measured at 384 features it is even at 32 classes
# and takes three quarters of the time at 100. Blocks have up to so many rows
WIDE = 48
WIDE_ROWS = 512
# few parts of many rows each keep two threads from waiting for each other between products; a few there should be
WIDE_PART_ROWS, WIDE_PARTS = 4096, 4


def loss(matrix: Matrix, linear: Linear, labelled: Labelled, kept: Tensor | None) -> Tensor:
    """Return the loss; see the package."""
    return _swept(matrix, linear, labelled, kept, backward=False)[0]


def loss_and_slopes(matrix: Matrix, linear: Linear, labelled: Labelled, kept: Tensor | None) -> tuple[Tensor, Slopes]:
    """Return the loss and its derivative; see the package."""
    return _swept(matrix, linear, labelled, kept, backward=True)


def hessian_product(matrix: Matrix, direction: Linear, probabilities: Tensor, weights: Tensor) -> Slopes:
    """Return the product with the Hessian; see the package."""
    turned, offset = _arrays(direction)
    shares, factors = probabilities.detach().numpy(), weights.detach().numpy()
    run: Any = _turn_wide if len(turned) >= WIDE else _turn

    def add(sums: Sums, rows: slice, block: Block) -> None:
        run(block, turned, offset, shares[rows], factors[rows], sums.slopes, sums.totals)

    return _summed(matrix, turned, add, backward=True)[1]


def label_sums(matrix: Matrix, labelled: Labelled, classes: int) -> Slopes:
    """Return the sums; see the package."""
    targets, weights = (np.ascontiguousarray(part.detach().numpy()) for part in labelled)
    stored = torch.float64 if matrix.dtype == torch.float64 else torch.float32

    def run(part: slice) -> Sums:
        sums = Sums(np.empty((classes, matrix.shape[1])), classes, backward=True)
        for rows, block in spans(matrix, part, stored):
            add_dense(block.numpy(), targets[rows], weights[rows], sums.slopes, sums.totals)
        return sums

    parts = row_parts(len(matrix), len(matrix) // (WIDE_PART_ROWS + 4 * classes))
    slopes = added(each_part(parts, run, 2 * matrix.shape[0] * matrix.shape[1]))[1]
    return slopes._replace(slopes=slopes.slopes.t())


def _swept(
    matrix: Matrix, linear: Linear, labelled: Labelled, kept: Tensor | None, *, backward: bool
) -> tuple[Tensor, Slopes]:
    turned, offset = _arrays(linear)
    targets, weights = (np.ascontiguousarray(part.detach().numpy()) for part in labelled)
    shares = np.empty((0, len(turned)), turned.dtype) if kept is None else kept.numpy()
    run: Any = _sweep_wide if len(turned) >= WIDE else _sweep

    def add(sums: Sums, rows: slice, block: Block) -> None:
        bound = (targets[rows], weights[rows], shares[rows])
        sums.loss += run(block, turned, offset, *bound, sums.slopes, sums.totals)

    return _summed(matrix, turned, add, backward=backward)


def _summed(
    matrix: Matrix, turned: np.ndarray, add: Callable[[Sums, slice, Block], None], *, backward: bool
) -> tuple[Tensor, Slopes]:
    """Return the sums that ``add`` takes over the rows; without ``backward`` the slopes are empty."""
    classes, features = turned.shape
    dtype = torch.from_numpy(turned).dtype
    blocks = blocks_of(matrix, dtype)

    def run(part: slice) -> Sums:
        sums = Sums(turned, classes, backward=backward)
        if classes < WIDE:
            for rows, block in blocks(part):
                add(sums, rows, block)
        else:
            for rows, numbers in spans(matrix, part, dtype):
                add(sums, rows, numbers.numpy())
        return sums

    operations = ((4 if backward else 2) * features + STEPS) * len(matrix) * classes
    parts = parts_of(len(matrix), features, classes, dtype)
    if classes >= WIDE:
        enough = max(len(matrix) // WIDE_PART_ROWS, min(len(matrix) // WIDE_ROWS, WIDE_PARTS))
        parts = row_parts(len(matrix), min(len(parts), enough))
    loss, slopes = added(each_part(parts, run, operations))
    return loss, slopes._replace(slopes=slopes.slopes.t())


def _arrays(linear: Linear) -> tuple[np.ndarray, np.ndarray]:
    turned = np.ascontiguousarray(linear.coefficients.detach().numpy().T)
    return turned, np.ascontiguousarray(linear.offset.detach().numpy())


@compiled()
def _sweep(
    matrix: Block,
    turned: np.ndarray,
    offset: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    kept: np.ndarray,
    slopes: np.ndarray,
    totals: np.ndarray,
) -> float:
    rows = rows_of_blocks(turned.shape[1], turned.itemsize)
    once = turns_of(len(turned))
    turns = 2 * once if len(slopes) > 0 else once
    logits = np.empty((rows, len(turned)), turned.dtype)
    total = 0.0
    for start in range(0, len(weights), rows):
        stop = min(start + rows, len(weights))
        block, z = part_of(matrix, start, stop), logits[: stop - start]
        multiply(block, turned, z, 0, turns)
        z += offset
        total += residual_rows(z, targets[start:stop], weights[start:stop], kept[start:stop])
        if len(slopes) > 0:
            add_columns(z, totals)
            add_products(block, z, slopes, once, turns)
    return total


@compiled()
def _turn(
    matrix: Block,
    turned: np.ndarray,
    offset: np.ndarray,
    probabilities: np.ndarray,
    weights: np.ndarray,
    slopes: np.ndarray,
    totals: np.ndarray,
) -> None:
    rows = rows_of_blocks(turned.shape[1], turned.itemsize)
    once = turns_of(len(turned))
    along = np.empty((rows, len(turned)), turned.dtype)
    for start in range(0, len(weights), rows):
        stop = min(start + rows, len(weights))
        block, s = part_of(matrix, start, stop), along[: stop - start]
        multiply(block, turned, s, 0, 2 * once)
        s += offset
        turn_by_hessian(s, probabilities[start:stop], weights[start:stop])
        add_columns(s, totals)
        add_products(block, s, slopes, once, 2 * once)


def _sweep_wide(
    matrix: np.ndarray,
    turned: np.ndarray,
    offset: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    kept: np.ndarray,
    slopes: np.ndarray,
    totals: np.ndarray,
) -> float:
    total = 0.0
    for rows, block, logits in _wide_blocks(matrix, turned, offset):
        values = logits.numpy()
        total += residual_rows(values, targets[rows], weights[rows], kept[rows])
        if len(slopes) > 0:
            _add_wide(block, logits, slopes, totals)
    return total


def _turn_wide(
    matrix: np.ndarray,
    turned: np.ndarray,
    offset: np.ndarray,
    probabilities: np.ndarray,
    weights: np.ndarray,
    slopes: np.ndarray,
    totals: np.ndarray,
) -> None:
    for rows, block, along in _wide_blocks(matrix, turned, offset):
        turn_by_hessian(along.numpy(), probabilities[rows], weights[rows])
        _add_wide(block, along, slopes, totals)


def _wide_blocks(matrix: np.ndarray, turned: np.ndarray, offset: np.ndarray) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Yield the rows, the block and its logits, which lie in one piece of memory for all blocks of about equal size."""
    most = max(rows_of_blocks(matrix.shape[1], matrix.itemsize), WIDE_ROWS)
    step = math.ceil(len(matrix) / max(math.ceil(len(matrix) / most), 1))
    coefficients, constant = torch.from_numpy(turned).t(), torch.from_numpy(offset)
    logits = fresh(step, len(turned), constant.dtype)
    for start in range(0, len(matrix), max(step, 1)):
        rows = slice(start, min(start + step, len(matrix)))
        block, z = torch.from_numpy(matrix[rows]), logits[: rows.stop - start]
        yield rows, block, torch.addmm(constant, block, coefficients, out=z)


def _add_wide(block: Tensor, residual: Tensor, slopes: np.ndarray, totals: np.ndarray) -> None:
    torch.from_numpy(slopes).addmm_(residual.t(), block)
    add_columns(residual.numpy(), totals)
