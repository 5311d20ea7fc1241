"""The sweep as products, softmax and products of whole matrices, right on any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.kernels.chosen_rows import ChosenRows, whole
from gradus.kernels.softmax_residual import reference as residual_of
from gradus.kernels.softmax_sweep import Labelled, Linear, Slopes

if TYPE_CHECKING:
    from torch import Tensor

    Matrix = Tensor | ChosenRows


def loss(matrix: Matrix, linear: Linear, labelled: Labelled, kept: Tensor | None) -> Tensor:
    """Return the loss; see the package."""
    return loss_and_slopes(matrix, linear, labelled, kept)[0]


def loss_and_slopes(matrix: Matrix, linear: Linear, labelled: Labelled, kept: Tensor | None) -> tuple[Tensor, Slopes]:
    """Return the loss and its derivative; see the package."""
    X = whole(matrix).to(linear.coefficients.dtype)
    logits = X @ linear.coefficients + linear.offset
    targets, weights = labelled
    targets = targets if targets.ndim == 1 else targets.to(logits.dtype)
    value, residual = residual_of.softmax_residual(logits, targets, weights)
    if kept is not None:
        kept.copy_(logits.softmax(dim=1))
        residual = _residual(kept.to(logits.dtype), targets) * weights[:, None]
    return value, Slopes(X.t() @ residual, residual.sum(dim=0))


def hessian_product(matrix: Matrix, direction: Linear, probabilities: Tensor, weights: Tensor) -> Slopes:
    """Return the product with the Hessian; see the package."""
    X = whole(matrix).to(direction.coefficients.dtype)
    along = X @ direction.coefficients + direction.offset
    p = probabilities.to(along.dtype)
    turned = weights[:, None] * p * (along - (p * along).sum(dim=1, keepdim=True))
    return Slopes(X.t() @ turned, turned.sum(dim=0))


def overlaps(matrix: Matrix, linear: Linear, labelled: Labelled) -> Tensor:
    """Return the sums; see the package."""
    p = (whole(matrix).to(linear.coefficients.dtype) @ linear.coefficients + linear.offset).softmax(dim=1)
    return (labelled.weights[:, None] * p).t() @ p


def label_sums(matrix: Matrix, labelled: Labelled, classes: int) -> Slopes:
    """Return the sums; see the package."""
    targets, weights = labelled
    codes = targets.ndim == 1
    empty = weights.new_zeros(len(targets), classes) if codes else targets.to(weights.dtype)
    labels = empty.scatter_(1, targets[:, None], 1.0) if codes else empty
    weighted = labels * weights[:, None]
    return Slopes(whole(matrix).to(weights.dtype).t() @ weighted, weighted.sum(dim=0))


def _residual(probabilities: Tensor, targets: Tensor) -> Tensor:
    mass = probabilities.sum(dim=1, keepdim=True)
    if targets.ndim == 2:
        return targets.sum(dim=1, keepdim=True) * probabilities / mass - targets
    label = targets[:, None]
    others = probabilities.scatter(1, label, 0.0)
    return others.scatter(1, label, -others.sum(dim=1, keepdim=True)) / mass
