"""A block of rows at a time: logits, residual and what it adds to the gradient, while the block is in the cache.

The rows are cut into parts, which do not depend on the number of threads; each has sums of its own, added in order. For
many classes a general matrix product on a block is faster than narrow tiles; it runs on one thread in each part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

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
from gradus.kernels.softmax_sweep import wide
from gradus.kernels.softmax_sweep.labels import add_dense
from gradus.kernels.softmax_sweep.sums import STEPS, Sums, added
from gradus.kernels.threads import each_part

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradus.kernels.blocks import Block
    from gradus.kernels.chosen_rows import ChosenRows
    from gradus.kernels.softmax_sweep import Labelled, Linear, Slopes

    Matrix = Tensor | ChosenRows

# from here on a general matrix product on blocks of rows is faster: measured at 384 features it is even at 32 classes
# and takes three quarters of the time at 100
WIDE = 48
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
    linear = _arrays(direction)
    shares, factors = probabilities.detach().numpy(), weights.detach().numpy()
    run: Any = wide.turn if len(linear.offset) >= WIDE else _turn

    def add(sums: Sums, rows: slice, block: Block) -> None:
        run(block, *linear, shares[rows], factors[rows], sums.slopes, sums.totals)

    return _summed(matrix, linear, add, backward=True)[1]


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
    arrays = _arrays(linear)
    targets, weights = (np.ascontiguousarray(part.detach().numpy()) for part in labelled)
    shares = np.empty((0, len(arrays.offset)), arrays.offset.dtype) if kept is None else kept.numpy()
    run: Any = wide.sweep if len(arrays.offset) >= WIDE else _sweep

    def add(sums: Sums, rows: slice, block: Block) -> None:
        bound = (targets[rows], weights[rows], shares[rows])
        sums.loss += run(block, *arrays, *bound, sums.slopes, sums.totals)

    return _summed(matrix, arrays, add, backward=backward)


def overlaps(matrix: Matrix, linear: Linear, labelled: Labelled) -> Tensor:
    """Return the sums; see the package. Of few classes by general products too: they are a small part of a fit."""
    coefficients, offset, targets, weights = (
        np.ascontiguousarray(part.detach().numpy()) for part in (*linear, *labelled)
    )
    classes, roots = len(offset), torch.from_numpy(np.sqrt(weights))[:, None]

    def run(part: slice) -> Tensor:
        sums = linear.offset.new_zeros(classes, classes)
        kept = fresh(0, classes, sums.dtype)
        for rows, numbers in spans(matrix, part, sums.dtype):
            own_targets, own_weights, own_roots = targets[rows], weights[rows], roots[rows]
            for within, _, logits in wide.blocks(numbers.numpy(), coefficients, offset):
                kept = kept if len(kept) >= len(logits) else fresh(len(logits), classes, sums.dtype)
                p = kept[: len(logits)]
                residual_rows(logits.numpy(), own_targets[within], own_weights[within], p.numpy())
                p.mul_(own_roots[within])
                sums.addmm_(p.t(), p)
        return sums

    features = matrix.shape[1]
    parts = _wide_parts(len(matrix), features, classes, linear.offset.dtype)
    found = each_part(parts, run, (2 * (features + classes) + STEPS) * len(matrix) * classes)
    return torch.stack(found).sum(dim=0)


def _summed(
    matrix: Matrix, linear: _Arrays, add: Callable[[Sums, slice, Block], None], *, backward: bool
) -> tuple[Tensor, Slopes]:
    """Return the sums that ``add`` takes over the rows; without ``backward`` the slopes are empty."""
    classes, features = len(linear.offset), matrix.shape[1]
    dtype = torch.from_numpy(linear.offset).dtype
    blocks = blocks_of(matrix, dtype)

    def run(part: slice) -> Sums:
        sums = Sums(np.empty((classes, features), linear.offset.dtype), classes, backward=backward)
        if classes < WIDE:
            for rows, block in blocks(part):
                add(sums, rows, block)
        else:
            for rows, numbers in spans(matrix, part, dtype):
                add(sums, rows, numbers.numpy())
        return sums

    operations = ((4 if backward else 2) * features + STEPS) * len(matrix) * classes
    parts_in = parts_of if classes < WIDE else _wide_parts
    parts = parts_in(len(matrix), features, classes, dtype)
    loss, slopes = added(each_part(parts, run, operations))
    return loss, slopes._replace(slopes=slopes.slopes.t())


def _wide_parts(samples: int, features: int, classes: int, dtype: torch.dtype) -> list[slice]:
    enough = max(samples // WIDE_PART_ROWS, min(samples // wide.ROWS, WIDE_PARTS))
    return row_parts(samples, min(len(parts_of(samples, features, classes, dtype)), enough))


class _Arrays(NamedTuple):
    """W as the products want it, (features, classes) from ``WIDE`` on and (classes, features) below, and b."""

    coefficients: np.ndarray
    offset: np.ndarray


def _arrays(linear: Linear) -> _Arrays:
    coefficients, offset = (part.detach().numpy() for part in linear)
    lying = coefficients if len(offset) >= WIDE else coefficients.T
    return _Arrays(np.ascontiguousarray(lying), np.ascontiguousarray(offset))


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
