"""The weighted cross-entropy and its derivative, parts of the rows in parallel.

A part's losses are summed in float64, and the parts' sums exactly, so the result does not depend on threads.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from gradus.kernels.blocks import parts_of
from gradus.kernels.softmax_residual.rows import residual_rows
from gradus.kernels.threads import each_part

# an exponential and what surrounds it, in arithmetic steps
STEPS = 30


def softmax_residual(logits: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the loss and its derivative; see the package."""
    labels, factors = (np.ascontiguousarray(part.detach().numpy()) for part in (targets, weights))
    residual = np.array(logits.detach().numpy(), order="C")

    def run(part: slice) -> float:
        return residual_rows(residual[part], labels[part], factors[part], residual[:0])

    parts = parts_of(len(residual), residual.shape[1], 1, logits.dtype)
    losses = each_part(parts, run, STEPS * residual.size)
    return torch.tensor(math.fsum(losses), dtype=torch.float64), torch.from_numpy(residual)
