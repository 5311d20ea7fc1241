"""The products by cuBLAS; a matrix of another type is converted a large block of rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradus.kernels.chosen_rows import ChosenRows, whole
from gradus.kernels.full_precision import full_float32
from gradus.kernels.portions import row_blocks

if TYPE_CHECKING:
    from torch import Tensor


@full_float32()
def product(matrix: Tensor | ChosenRows, weights: Tensor) -> Tensor:
    """Return X W; see the package."""
    result = weights.new_empty(len(matrix), weights.shape[1])
    for rows in _blocks(matrix, weights):
        torch.mm(whole(matrix[rows]).to(weights.dtype), weights, out=result[rows])
    return result


@full_float32()
def transposed_product(matrix: Tensor | ChosenRows, residual: Tensor) -> Tensor:
    """Return X' R; see the package."""
    result = residual.new_zeros(matrix.shape[1], residual.shape[1])
    for rows in _blocks(matrix, residual):
        result.addmm_(whole(matrix[rows]).to(residual.dtype).t(), residual[rows])
    return result


def _blocks(matrix: Tensor | ChosenRows, factor: Tensor) -> list[slice]:
    """Return all rows where nothing is copied, else so many that the copy is small."""
    if isinstance(matrix, ChosenRows) or matrix.dtype != factor.dtype:
        return row_blocks(len(matrix), matrix.shape[1])
    return [slice(0, len(matrix))]
