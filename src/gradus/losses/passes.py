"""Softmax's sweep over features that may come in chunks, from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gradus.kernels import softmax_sweep
from gradus.kernels.portions import portion
from gradus.kernels.softmax_sweep import Labelled, Linear, Slopes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from gradus.losses.features import Features

# probabilities that are held at a time, and fewest rows of them: enough for two threads
BLOCK_NUMBERS, BLOCK_ROWS = 204_800, 2048


def loss(features: Features, linear: Linear, labelled: Labelled, kept: Tensor | None = None) -> Tensor:
    """Return the loss at the logits X W + b; see ``gradus.kernels.softmax_sweep``."""
    values = [
        softmax_sweep.loss(matrix, linear, labelled.of_rows(rows), None if kept is None else kept[rows])
        for rows, matrix in features.chunks()
    ]
    return torch.stack(values).sum()


def loss_and_slopes(
    features: Features, linear: Linear, labelled: Labelled, kept: Tensor | None = None
) -> tuple[Tensor, Slopes]:
    """Return the loss and its derivative in W and b; see ``gradus.kernels.softmax_sweep``."""
    values, slopes = [], []
    for rows, matrix in features.chunks():
        part = None if kept is None else kept[rows]
        value, slope = softmax_sweep.loss_and_slopes(matrix, linear, labelled.of_rows(rows), part)
        values.append(value)
        slopes.append(slope)
    return torch.stack(values).sum(), added(slopes)


def probabilities(features: Features, linear: Linear, labelled: Labelled) -> Iterator[tuple[slice, Tensor]]:
    """Yield rows and their probabilities at the logits X W + b, in the dtype of W; the next overwrite them."""
    for rows, matrix, kept in _blocks(features, linear):
        softmax_sweep.loss(matrix, linear, labelled.of_rows(rows), kept)
        yield rows, kept


def with_probabilities(
    features: Features, linear: Linear, labelled: Labelled
) -> Iterator[tuple[slice, Tensor, Slopes, Tensor]]:
    """Yield rows, their loss, its derivative in W and b, and their probabilities, which the next overwrite."""
    for rows, matrix, kept in _blocks(features, linear):
        yield rows, *softmax_sweep.loss_and_slopes(matrix, linear, labelled.of_rows(rows), kept), kept


def _blocks(features: Features, linear: Linear) -> Iterator[tuple[slice, Any, Tensor]]:
    """Yield rows, their part of X, and memory for their probabilities, the same for all."""
    classes = len(linear.offset)
    step = max(portion(features.device, BLOCK_NUMBERS) // classes, BLOCK_ROWS)
    buffer = linear.offset.new_empty(min(step, features.shape[0]), classes)
    for chunk, matrix in features.chunks():
        for start in range(0, chunk.stop - chunk.start, step):
            within = slice(start, min(start + step, chunk.stop - chunk.start))
            rows = slice(chunk.start + within.start, chunk.start + within.stop)
            yield rows, matrix[within], buffer[: rows.stop - rows.start]


def hessian_product(features: Features, direction: Linear, probabilities: Tensor, weights: Tensor) -> Slopes:
    """Return the Hessian's product with a direction; see ``gradus.kernels.softmax_sweep``."""
    return added(
        [
            softmax_sweep.hessian_product(matrix, direction, probabilities[rows], weights[rows])
            for rows, matrix in features.chunks()
        ]
    )


def offset_hessian(features: Features, linear: Linear, labelled: Labelled) -> Tensor:
    """Return the loss's Hessian in the offset, float64; see ``gradus.kernels.softmax_sweep``."""
    parts = [softmax_sweep.offset_hessian(matrix, linear, labelled.of_rows(rows)) for rows, matrix in features.chunks()]
    return parts[0] if len(parts) == 1 else torch.stack(parts).sum(dim=0)


def label_sums(features: Features, labelled: Labelled, classes: int) -> Slopes:
    """Return X' Omega Y and 1' Omega Y, float64; see ``gradus.kernels.softmax_sweep``."""
    return added(
        [softmax_sweep.label_sums(matrix, labelled.of_rows(rows), classes) for rows, matrix in features.chunks()]
    )


def added(slopes: list[Slopes]) -> Slopes:
    """Return the sum of some slopes, in their order."""
    total, totals = slopes[0]
    for more in slopes[1:]:
        total, totals = total + more.slopes, totals + more.totals
    return Slopes(total, totals)
