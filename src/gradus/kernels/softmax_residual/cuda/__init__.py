"""The weighted cross-entropy and its derivative on a GPU: logits are read once, and the derivative written once.

The floor is the bytes of both over the memory's bandwidth; in plain torch it is a dozen passes over as many numbers.
Rows of more classes than fit a program's registers are the reference's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradus.kernels.softmax_residual import reference
from gradus.kernels.softmax_residual.cuda.rows import MOST_CLASSES, residual_rows

if TYPE_CHECKING:
    from torch import Tensor


def softmax_residual(logits: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the loss and its derivative; see the package."""
    if logits.shape[1] > MOST_CLASSES:
        return reference.softmax_residual(logits, targets, weights)
    residual = torch.empty_like(logits, memory_format=torch.contiguous_format)
    return residual_rows(logits.detach(), targets, weights, residual), residual
