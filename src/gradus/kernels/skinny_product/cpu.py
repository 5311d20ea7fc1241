"""The products a block of rows at a time, parts of the rows in parallel, in tiles that stay in vector registers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradus.kernels.blocks import (
    add_products,
    blocks_of,
    fresh,
    multiply,
    part_of,
    parts_of,
    rows_of_blocks,
    spans,
    turns_of,
)
from gradus.kernels.compilation import compiled
from gradus.kernels.threads import each_part

if TYPE_CHECKING:
    import numpy as np

    from gradus.kernels.blocks import Block
    from gradus.kernels.chosen_rows import ChosenRows

# from here on a general matrix product is as fast; it runs on one thread in each part
WIDE = 256


def product(matrix: Tensor | ChosenRows, weights: Tensor) -> Tensor:
    """Return X W; see the package."""
    samples, features = matrix.shape
    outputs, dtype = weights.shape[1], weights.dtype
    turned = weights.detach().t().contiguous()
    result, blocks = torch.empty(samples, outputs, dtype=dtype), blocks_of(matrix, dtype)

    def run(part: slice) -> None:
        if outputs < WIDE:
            for rows, block in blocks(part):
                _multiply(block, turned.numpy(), result[rows].numpy())
        else:
            for rows, numbers in spans(matrix, part, dtype):
                torch.mm(numbers, turned.t(), out=result[rows])

    each_part(parts_of(samples, features, 1, dtype), run, 2 * samples * features * outputs)
    return result


def transposed_product(matrix: Tensor | ChosenRows, residual: Tensor) -> Tensor:
    """Return X' R; see the package."""
    samples, features = matrix.shape
    outputs, dtype = residual.shape[1], residual.dtype
    factors, blocks = residual.detach().contiguous(), blocks_of(matrix, dtype)

    def run(part: slice) -> Tensor:
        sums = fresh(outputs, features, dtype).zero_()
        if outputs < WIDE:
            for rows, block in blocks(part):
                _add_products(block, factors[rows].numpy(), sums.numpy())
        else:
            for rows, numbers in spans(matrix, part, dtype):
                sums.addmm_(factors[rows].t(), numbers)
        return sums

    parts = each_part(parts_of(samples, features, outputs, dtype), run, 2 * samples * features * outputs)
    # added in their order
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total.t()


@compiled()
def _multiply(matrix: Block, weights: np.ndarray, out: np.ndarray) -> None:
    rows = rows_of_blocks(weights.shape[1], weights.itemsize)
    for start in range(0, len(out), rows):
        stop = min(start + rows, len(out))
        multiply(part_of(matrix, start, stop), weights, out[start:stop], 0, turns_of(len(weights)))


@compiled()
def _add_products(matrix: Block, factors: np.ndarray, sums: np.ndarray) -> None:
    rows = rows_of_blocks(sums.shape[1], sums.itemsize)
    for start in range(0, len(factors), rows):
        stop = min(start + rows, len(factors))
        add_products(part_of(matrix, start, stop), factors[start:stop], sums, 0, turns_of(len(sums)))
