"""Large blocks of rows on a GPU: two products by cuBLAS, and between them one pass over a block of logits, in place.

A product runs at the device's arithmetic, the pass at its memory: the logits of a block are read and written once
beside what the products do with them, where plain torch takes a dozen passes. Numbers are added in the same order at
every call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradus.kernels.full_precision import full_float32
from gradus.kernels.softmax_residual.cuda.rows import MOST_CLASSES, Beside, residual_rows, turn_by_hessian
from gradus.kernels.softmax_sweep import Labelled, Linear, Slopes, accelerator

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.chosen_rows import ChosenRows

    Matrix = Tensor | ChosenRows

__all__ = ["hessian_product", "label_sums", "loss", "loss_and_slopes", "overlaps"]

label_sums = accelerator.label_sums
overlaps = accelerator.overlaps


@full_float32()
def loss(matrix: Matrix, linear: Linear, labelled: Labelled, kept: Tensor | None) -> Tensor:
    """Return the loss; see the package."""
    if len(linear.offset) > MOST_CLASSES:
        return accelerator.loss(matrix, linear, labelled, kept)
    total = linear.offset.new_zeros((), dtype=torch.float64)
    for rows, X in accelerator.blocks(matrix, linear):
        beside = Beside(linear.offset, None if kept is None else kept[rows])
        total += residual_rows(X @ linear.coefficients, *labelled.of_rows(rows), None, beside)
    return total


@full_float32()
def loss_and_slopes(matrix: Matrix, linear: Linear, labelled: Labelled, kept: Tensor | None) -> tuple[Tensor, Slopes]:
    """Return the loss and its derivative; see the package."""
    if len(linear.offset) > MOST_CLASSES:
        return accelerator.loss_and_slopes(matrix, linear, labelled, kept)
    total, slopes, totals = linear.offset.new_zeros((), dtype=torch.float64), *map(torch.zeros_like, linear)
    for rows, X in accelerator.blocks(matrix, linear):
        logits = X @ linear.coefficients
        beside = Beside(linear.offset, None if kept is None else kept[rows])
        total += residual_rows(logits, *labelled.of_rows(rows), logits, beside)
        slopes.addmm_(X.t(), logits)
        totals += logits.sum(dim=0)
    return total, Slopes(slopes, totals)


@full_float32()
def hessian_product(matrix: Matrix, direction: Linear, probabilities: Tensor, weights: Tensor) -> Slopes:
    """Return the product with the Hessian; see the package."""
    if len(direction.offset) > MOST_CLASSES:
        return accelerator.hessian_product(matrix, direction, probabilities, weights)
    slopes, totals = map(torch.zeros_like, direction)
    for rows, X in accelerator.blocks(matrix, direction):
        along = torch.addmm(direction.offset, X, direction.coefficients)
        turn_by_hessian(along, probabilities[rows], weights[rows])
        slopes.addmm_(X.t(), along)
        totals += along.sum(dim=0)
    return Slopes(slopes, totals)
