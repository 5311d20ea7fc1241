"""The sweep over the rows of a sparse matrix; classes lie side by side, so that an entry of X meets a row of W.

As for dense rows, parts of the rows have sums of their own, added in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradus.kernels.blocks import row_parts
from gradus.kernels.compilation import compiled
from gradus.kernels.softmax_residual.rows import add_columns, residual_rows, turn_by_hessian
from gradus.kernels.softmax_sweep.labels import add_sparse
from gradus.kernels.softmax_sweep.sums import STEPS, Sums, added
from gradus.kernels.threads import each_part

if TYPE_CHECKING:
    from collections.abc import Callable

    from scipy.sparse import csr_array
    from torch import Tensor

    from gradus.kernels.softmax_sweep import Labelled, Linear, Slopes

# rows whose logits are held at a time, and rows whose probabilities are
ROWS, HELD_ROWS = 64, 4096


def loss(matrix: csr_array, linear: Linear, labelled: Labelled, kept: Tensor | None) -> Tensor:
    """Return the loss; see the package."""
    return _swept(matrix, linear, labelled, kept, backward=False)[0]


def loss_and_slopes(
    matrix: csr_array, linear: Linear, labelled: Labelled, kept: Tensor | None
) -> tuple[Tensor, Slopes]:
    """Return the loss and its derivative; see the package."""
    return _swept(matrix, linear, labelled, kept, backward=True)


def hessian_product(matrix: csr_array, direction: Linear, probabilities: Tensor, weights: Tensor) -> Slopes:
    """Return the product with the Hessian; see the package."""
    coefficients, offset, shares, factors = _arrays(*direction, probabilities, weights)

    def add(sums: Sums, rows: slice) -> None:
        _turn(
            matrix.data,
            matrix.indices,
            matrix.indptr[rows.start : rows.stop + 1],
            coefficients,
            offset,
            shares[rows],
            factors[rows],
            sums.slopes,
            sums.totals,
        )

    return _summed(matrix, coefficients, add, backward=True)[1]


def overlaps(matrix: csr_array, linear: Linear, labelled: Labelled) -> Tensor:
    """Return the sums; see the package."""
    classes, samples = len(linear.offset), matrix.shape[0]
    sums = linear.offset.new_zeros(classes, classes)
    kept = linear.offset.new_empty(min(HELD_ROWS, samples), classes)
    for start in range(0, samples, HELD_ROWS):
        rows = slice(start, min(start + HELD_ROWS, samples))
        p = kept[: rows.stop - start]
        loss(matrix[rows], linear, labelled.of_rows(rows), p)
        p.mul_(labelled.weights[rows, None].sqrt())
        sums.addmm_(p.t(), p)
    return sums


def label_sums(matrix: csr_array, labelled: Labelled, classes: int) -> Slopes:
    """Return the sums; see the package."""
    targets, weights = _arrays(*labelled)
    sums = Sums(np.empty((matrix.shape[1], classes)), classes, backward=True)
    add_sparse(matrix.data, matrix.indices, matrix.indptr, targets, weights, sums.slopes, sums.totals)
    return added([sums])[1]


def _swept(
    matrix: csr_array, linear: Linear, labelled: Labelled, kept: Tensor | None, *, backward: bool
) -> tuple[Tensor, Slopes]:
    coefficients, offset, targets, weights = _arrays(*linear, *labelled)
    shares = np.empty((0, len(offset)), offset.dtype) if kept is None else kept.numpy()

    def add(sums: Sums, rows: slice) -> None:
        sums.loss += _sweep(
            matrix.data,
            matrix.indices,
            matrix.indptr[rows.start : rows.stop + 1],
            coefficients,
            offset,
            targets[rows],
            weights[rows],
            shares[rows],
            sums.slopes,
            sums.totals,
        )

    return _summed(matrix, coefficients, add, backward=backward)


def _summed(
    matrix: csr_array, coefficients: np.ndarray, add: Callable[[Sums, slice], None], *, backward: bool
) -> tuple[Tensor, Slopes]:
    samples, classes = matrix.shape[0], coefficients.shape[1]

    def run(part: slice) -> Sums:
        sums = Sums(coefficients, classes, backward=backward)
        add(sums, part)
        return sums

    # a part's sums cost as much as a quarter of its entries, unless there are only two
    parts = row_parts(samples, max(min(2, samples), matrix.nnz // (4 * max(matrix.shape[1], 1))))
    operations = ((4 if backward else 2) * matrix.nnz + STEPS * samples) * classes
    return added(each_part(parts, run, operations))


def _arrays(*tensors: Tensor) -> list[np.ndarray]:
    return [np.ascontiguousarray(tensor.detach().numpy()) for tensor in tensors]


@compiled(fastmath={"reassoc", "contract"})
def _multiply(
    data: np.ndarray, indices: np.ndarray, starts: np.ndarray, coefficients: np.ndarray, out: np.ndarray
) -> None:
    """Add each row's product with W to ``out``."""
    for i in range(len(out)):
        for entry in range(starts[i], starts[i + 1]):
            value, column = data[entry], indices[entry]
            for k in range(out.shape[1]):
                out[i, k] += value * coefficients[column, k]


@compiled(fastmath={"reassoc", "contract"})
def _add_products(
    data: np.ndarray, indices: np.ndarray, starts: np.ndarray, factors: np.ndarray, sums: np.ndarray
) -> None:
    """Add each entry of X times its row of R to its column's sums."""
    for i in range(len(factors)):
        for entry in range(starts[i], starts[i + 1]):
            value, column = data[entry], indices[entry]
            for k in range(factors.shape[1]):
                sums[column, k] += value * factors[i, k]


@compiled()
def _sweep(
    data: np.ndarray,
    indices: np.ndarray,
    starts: np.ndarray,
    coefficients: np.ndarray,
    offset: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    kept: np.ndarray,
    slopes: np.ndarray,
    totals: np.ndarray,
) -> float:
    samples = len(weights)
    logits = np.empty((ROWS, len(offset)), coefficients.dtype)
    total = 0.0
    for start in range(0, samples, ROWS):
        stop = min(start + ROWS, samples)
        z, within = logits[: stop - start], starts[start : stop + 1]
        z[:] = offset
        _multiply(data, indices, within, coefficients, z)
        total += residual_rows(z, targets[start:stop], weights[start:stop], kept[start:stop])
        if len(slopes) > 0:
            add_columns(z, totals)
            _add_products(data, indices, within, z, slopes)
    return total


@compiled()
def _turn(
    data: np.ndarray,
    indices: np.ndarray,
    starts: np.ndarray,
    coefficients: np.ndarray,
    offset: np.ndarray,
    probabilities: np.ndarray,
    weights: np.ndarray,
    slopes: np.ndarray,
    totals: np.ndarray,
) -> None:
    samples = len(weights)
    along = np.empty((ROWS, len(offset)), coefficients.dtype)
    for start in range(0, samples, ROWS):
        stop = min(start + ROWS, samples)
        s, within = along[: stop - start], starts[start : stop + 1]
        s[:] = offset
        _multiply(data, indices, within, coefficients, s)
        turn_by_hessian(s, probabilities[start:stop], weights[start:stop])
        add_columns(s, totals)
        _add_products(data, indices, within, s, slopes)
