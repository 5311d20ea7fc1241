"""Large blocks of rows: two products by cuBLAS, and between them one block of logits that is changed in its place.

All is plain torch. A block has half a gigabyte of logits at most, so that a pass over a million rows is some dozen
launches a block, and its memory is that of a few blocks. Numbers are added in the same order at every call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradus.kernels.chosen_rows import ChosenRows, whole
from gradus.kernels.full_precision import full_float32
from gradus.kernels.portions import row_blocks
from gradus.kernels.softmax_sweep import Labelled, Linear, Slopes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    Matrix = Tensor | ChosenRows


@full_float32()
def loss(matrix: Matrix, linear: Linear, labelled: Labelled, kept: Tensor | None) -> Tensor:
    """Return the loss; see the package."""
    total = _scalar(linear)
    for rows, X in blocks(matrix, linear):
        logits = torch.addmm(linear.offset, X, linear.coefficients)
        value, own = _probabilities(logits, labelled.of_rows(rows))
        total += value
        if kept is not None:
            _keep(kept[rows], logits, own, labelled.targets[rows])
    return total


@full_float32()
def loss_and_slopes(matrix: Matrix, linear: Linear, labelled: Labelled, kept: Tensor | None) -> tuple[Tensor, Slopes]:
    """Return the loss and its derivative; see the package."""
    total, slopes, totals = _scalar(linear), *map(torch.zeros_like, linear)
    for rows, X in blocks(matrix, linear):
        logits = torch.addmm(linear.offset, X, linear.coefficients)
        block = labelled.of_rows(rows)
        value, own = _probabilities(logits, block)
        total += value
        if kept is not None:
            _keep(kept[rows], logits, own, block.targets)
            _round(logits, kept[rows], block.targets)
        residual = _residual(logits, block.targets).mul_(block.weights[:, None])
        slopes.addmm_(X.t(), residual)
        totals += residual.sum(dim=0)
    return total, Slopes(slopes, totals)


@full_float32()
def hessian_product(matrix: Matrix, direction: Linear, probabilities: Tensor, weights: Tensor) -> Slopes:
    """Return the product with the Hessian; see the package."""
    slopes, totals = map(torch.zeros_like, direction)
    for rows, X in blocks(matrix, direction):
        along = torch.addmm(direction.offset, X, direction.coefficients)
        p = probabilities[rows].to(along.dtype)
        along.sub_((p * along).sum(dim=1, keepdim=True)).mul_(p).mul_(weights[rows, None])
        slopes.addmm_(X.t(), along)
        totals += along.sum(dim=0)
    return Slopes(slopes, totals)


@full_float32()
def overlaps(matrix: Matrix, linear: Linear, labelled: Labelled) -> Tensor:
    """Return the sums; see the package."""
    classes = len(linear.offset)
    sums = linear.offset.new_zeros(classes, classes)
    for rows, X in blocks(matrix, linear):
        p = torch.addmm(linear.offset, X, linear.coefficients).softmax(dim=1)
        p *= labelled.weights[rows, None].sqrt()
        sums.addmm_(p.t(), p)
    return sums


def label_sums(matrix: Matrix, labelled: Labelled, classes: int) -> Slopes:
    """Return the sums; see the package. By a product: a sum in place has no order on a GPU."""
    targets, weights = labelled
    slopes = weights.new_zeros(matrix.shape[1], classes)
    totals = weights.new_zeros(classes)
    for rows in row_blocks(len(matrix), max(matrix.shape[1], classes)):
        if targets.ndim == 2:
            shares = targets[rows].to(weights.dtype) * weights[rows, None]
        else:
            empty = weights.new_zeros(rows.stop - rows.start, classes)
            shares = empty.scatter_(1, targets[rows, None], weights[rows, None])
        slopes.addmm_(whole(matrix[rows]).to(weights.dtype).t(), shares)
        totals += shares.sum(dim=0)
    return Slopes(slopes, totals)


def _scalar(linear: Linear) -> Tensor:
    return linear.offset.new_zeros((), dtype=torch.float64)


def blocks(matrix: Matrix, linear: Linear) -> Iterator[tuple[slice, Tensor]]:
    """Yield rows and their numbers in the dtype of ``linear``."""
    for rows in row_blocks(len(matrix), max(linear.coefficients.shape)):
        yield rows, whole(matrix[rows]).to(linear.coefficients.dtype)


def _probabilities(logits: Tensor, labelled: Labelled) -> tuple[Tensor, Tensor | None]:
    """Turn the logits, in their place, into probabilities; return the loss, and those of hard labels, (samples, 1).

    Of hard labels what stays in the logits is 0 at the label: the others' probabilities keep their accuracy.
    """
    targets, weights = labelled
    if targets.ndim == 2:
        losses = _softened(logits, targets.to(logits.dtype))
        return losses.double() @ weights.double(), None
    label = targets[:, None]
    # a difference of two huge logits may overflow; the largest float keeps everything finite
    logits.sub_(logits.gather(1, label)).clamp_max_(torch.finfo(logits.dtype).max).scatter_(1, label, -torch.inf)
    # the label's own term is exp(0); the others' maximum may lie above it
    top = logits.amax(dim=1, keepdim=True).clamp_min_(0.0)
    rest = logits.sub_(top).exp_().sum(dim=1, keepdim=True)
    own = torch.exp(-top)
    losses = torch.where(top == 0, torch.log1p(rest), top + torch.log(rest + own))
    logits.div_(rest + own)
    return losses[:, 0].double() @ weights.double(), own / (rest + own)


def _softened(logits: Tensor, targets: Tensor) -> Tensor:
    """Turn the logits into probabilities; return the losses of rows of soft labels."""
    logits.sub_(logits.amax(dim=1, keepdim=True)).clamp_min_(torch.finfo(logits.dtype).min)
    normaliser = torch.logsumexp(logits, dim=1, keepdim=True)
    logits.sub_(normaliser)
    # lse(z) - y . z = sum_k y_k (lse(z) - z_k), whose terms are all of one sign
    losses = -(targets * logits).sum(dim=1)
    logits.exp_()
    return losses


def _keep(kept: Tensor, probabilities: Tensor, own: Tensor | None, targets: Tensor) -> None:
    """Set ``kept`` to the probabilities, with those of the labels in their places."""
    kept.copy_(probabilities if own is None else probabilities.scatter_(1, targets[:, None], own))


def _round(probabilities: Tensor, kept: Tensor, targets: Tensor) -> None:
    """Set the probabilities to those that were kept, divided by their sum; at hard labels to 0."""
    probabilities.copy_(kept).div_(probabilities.sum(dim=1, keepdim=True))
    if targets.ndim == 1:
        probabilities.scatter_(1, targets[:, None], 0.0)


def _residual(probabilities: Tensor, targets: Tensor) -> Tensor:
    """Turn probabilities, 0 at hard labels, into the residual, in their place."""
    if targets.ndim == 2:
        labels = targets.to(probabilities.dtype)
        return probabilities.mul_(labels.sum(dim=1, keepdim=True)).sub_(labels)
    return probabilities.scatter_(1, targets[:, None], -probabilities.sum(dim=1, keepdim=True))
