"""The products a block of rows at a time, parts of the rows in parallel, in tiles that stay in vector registers."""

from __future__ import annotations

import numba
import numpy as np
import torch
from torch import Tensor

from gradus.kernels.blocks import add_products, each_part, multiply, parts_of, rows_of_blocks, spans
from gradus.kernels.skinny_product import reference

# from here on a general matrix product is as fast
WIDE = 64


def product(matrix: Tensor, weights: Tensor) -> Tensor:
    """Return X W; see the package."""
    outputs = weights.shape[1]
    if not _narrow(matrix, outputs):
        return reference.product(matrix, weights)
    turned = np.ascontiguousarray(weights.detach().numpy().T)
    result = torch.empty(len(matrix), outputs, dtype=weights.dtype)

    def run(part: slice) -> None:
        for rows, block in spans(matrix.detach(), part, weights.dtype):
            _multiply(block.numpy(), turned, result[rows].numpy())

    each_part(parts_of(len(matrix), matrix.shape[1], 1, weights.dtype), run, 2 * matrix.numel() * outputs)
    return result


def transposed_product(matrix: Tensor, residual: Tensor) -> Tensor:
    """Return X' R; see the package."""
    samples, features = matrix.shape
    outputs, dtype = residual.shape[1], residual.dtype
    if not _narrow(matrix, outputs):
        return reference.transposed_product(matrix, residual)
    factors = residual.detach().contiguous()

    def run(part: slice) -> np.ndarray:
        sums = np.zeros((outputs, features), factors.numpy().dtype)
        for rows, block in spans(matrix.detach(), part, dtype):
            _add_products(block.numpy(), factors[rows].numpy(), sums)
        return sums

    parts = each_part(parts_of(samples, features, outputs, dtype), run, 2 * matrix.numel() * outputs)
    return torch.from_numpy(np.sum(parts, axis=0).T)


def _narrow(matrix: Tensor, outputs: int) -> bool:
    return 0 < outputs < WIDE and matrix.numel() > 0


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _multiply(matrix: np.ndarray, weights: np.ndarray, out: np.ndarray) -> None:
    rows = rows_of_blocks(matrix.shape[1], matrix.itemsize)
    for start in range(0, len(matrix), rows):
        multiply(matrix[start : start + rows], weights, out[start : start + rows])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _add_products(matrix: np.ndarray, factors: np.ndarray, sums: np.ndarray) -> None:
    rows = rows_of_blocks(matrix.shape[1], matrix.itemsize)
    for start in range(0, len(matrix), rows):
        add_products(matrix[start : start + rows], factors[start : start + rows], sums)
