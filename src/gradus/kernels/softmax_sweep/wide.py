"""Many classes on the processor: general matrix products on a block of rows, on one thread in each part."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from gradus.kernels.blocks import fresh, rows_of_blocks
from gradus.kernels.softmax_residual.rows import add_columns, residual_rows, turn_by_hessian

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from torch import Tensor

# rows of a block, at most
ROWS = 512


def sweep(
    matrix: np.ndarray,
    coefficients: np.ndarray,
    offset: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    kept: np.ndarray,
    slopes: np.ndarray,
    totals: np.ndarray,
) -> float:
    """Return the loss of the rows, set ``kept``, and add to ``slopes`` and ``totals`` where they are wanted."""
    total = 0.0
    for rows, block, logits in blocks(matrix, coefficients, offset):
        values = logits.numpy()
        total += residual_rows(values, targets[rows], weights[rows], kept[rows])
        if len(slopes) > 0:
            _add(block, logits, slopes, totals)
    return total


def turn(
    matrix: np.ndarray,
    coefficients: np.ndarray,
    offset: np.ndarray,
    probabilities: np.ndarray,
    weights: np.ndarray,
    slopes: np.ndarray,
    totals: np.ndarray,
) -> None:
    """Add the product with the Hessian to ``slopes`` and ``totals``."""
    for rows, block, along in blocks(matrix, coefficients, offset):
        turn_by_hessian(along.numpy(), probabilities[rows], weights[rows])
        _add(block, along, slopes, totals)


def blocks(matrix: np.ndarray, coefficients: np.ndarray, offset: np.ndarray) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Yield the rows, the block and its logits, which lie in one piece of memory for all blocks of about equal size.

    coefficients : (features, classes), C-contiguous: turned around, the product takes a fifth longer
    """
    most = max(rows_of_blocks(matrix.shape[1], matrix.itemsize), ROWS)
    step = math.ceil(len(matrix) / max(math.ceil(len(matrix) / most), 1))
    weights, constant = torch.from_numpy(coefficients), torch.from_numpy(offset)
    logits = fresh(step, len(offset), constant.dtype)
    for start in range(0, len(matrix), max(step, 1)):
        rows = slice(start, min(start + step, len(matrix)))
        block, z = torch.from_numpy(matrix[rows]), logits[: rows.stop - start]
        yield rows, block, torch.addmm(constant, block, weights, out=z)


def _add(block: Tensor, residual: Tensor, slopes: np.ndarray, totals: np.ndarray) -> None:
    torch.from_numpy(slopes).addmm_(residual.t(), block)
    add_columns(residual.numpy(), totals)
