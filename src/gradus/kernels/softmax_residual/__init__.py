"""Logits to the weighted cross-entropy and its derivative, in one pass over the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.kernels import dispatch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["softmax_residual"]


def softmax_residual(logits: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return sum_i w_i (lse(z_i) - y_i . z_i) and its derivative w_i (softmax(z_i) - y_i) with respect to the logits.

    Neither overflows nor cancels: with hard labels the loss of a row is computed from z_k - z_y, and the derivative at
    the label from the other classes' probabilities, so both keep their relative accuracy when the row is saturated.

    Parameters
    ----------
    logits : (samples, classes), float32 or float64, finite, any strides
    targets : (samples,) int64 class codes, or (samples, classes) rows that sum to 1, in the dtype of the logits
    weights : (samples,) in the dtype of the logits, not negative

    Returns
    -------
    The loss, a float64 scalar, summed in an order that does not depend on the number of threads; and the derivative,
    (samples, classes) in the dtype of the logits.

    Examples
    --------
    >>> import torch
    >>> loss, residual = softmax_residual(torch.tensor([[0.0, 0.0]]), torch.tensor([1]), torch.ones(1))
    >>> round(loss.item(), 6), residual.tolist()
    (0.693147, [[0.5, -0.5]])
    """
    loss, residual = dispatch.load("softmax_residual", logits.device.type).softmax_residual(logits, targets, weights)
    return loss, residual
