"""The products a block of rows at a time, parts of the rows in parallel, in tiles that stay in vector registers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradus.kernels.blocks import add_products, multiply, parts_of, rows_of_blocks, spans, turns_of
from gradus.kernels.compilation import compiled
from gradus.kernels.threads import each_part

if TYPE_CHECKING:
    import numpy as np

# from here on a general matrix product is as fast; it runs on one thread in each part
WIDE = 256


def product(matrix: Tensor, weights: Tensor) -> Tensor:
    """Return X W; see the package."""
    samples, features = matrix.shape
    outputs, dtype = weights.shape[1], weights.dtype
    turned = weights.detach().t().contiguous()
    result = torch.empty(samples, outputs, dtype=dtype)

    def run(part: slice) -> None:
        for rows, block in spans(matrix.detach(), part, dtype):
            if outputs < WIDE:
                _multiply(block.numpy(), turned.numpy(), result[rows].numpy())
            else:
                torch.mm(block, turned.t(), out=result[rows])

    each_part(parts_of(samples, features, 1, dtype), run, 2 * matrix.numel() * outputs)
    return result


def transposed_product(matrix: Tensor, residual: Tensor) -> Tensor:
    """Return X' R; see the package."""
    samples, features = matrix.shape
    outputs, dtype = residual.shape[1], residual.dtype
    factors = residual.detach().contiguous()

    def run(part: slice) -> Tensor:
        sums = torch.zeros(outputs, features, dtype=dtype)
        for rows, block in spans(matrix.detach(), part, dtype):
            if outputs < WIDE:
                _add_products(block.numpy(), factors[rows].numpy(), sums.numpy())
            else:
                sums.addmm_(factors[rows].t(), block)
        return sums

    parts = each_part(parts_of(samples, features, outputs, dtype), run, 2 * matrix.numel() * outputs)
    return torch.stack(parts).sum(dim=0).t()


@compiled()
def _multiply(matrix: np.ndarray, weights: np.ndarray, out: np.ndarray) -> None:
    rows = rows_of_blocks(matrix.shape[1], matrix.itemsize)
    for start in range(0, len(matrix), rows):
        multiply(matrix[start : start + rows], weights, out[start : start + rows], 0, turns_of(len(weights)))


@compiled()
def _add_products(matrix: np.ndarray, factors: np.ndarray, sums: np.ndarray) -> None:
    rows = rows_of_blocks(matrix.shape[1], matrix.itemsize)
    for start in range(0, len(matrix), rows):
        add_products(matrix[start : start + rows], factors[start : start + rows], sums, 0, turns_of(len(sums)))
