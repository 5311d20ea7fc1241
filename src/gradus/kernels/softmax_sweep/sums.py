"""What a sweep adds up over a part of the rows, and the sum over the parts."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from gradus.kernels.softmax_sweep import Slopes

# an exponential and what surrounds it, in arithmetic steps
STEPS = 30


class Sums:
    """The loss, X' R and 1' R of some rows.

    Parameters
    ----------
    like : an array in the shape and dtype of X' R, which may be turned around
    classes : columns of R
    backward : whether X' R is wanted; without it it has no rows
    """

    def __init__(self, like: np.ndarray, classes: int, *, backward: bool) -> None:
        self.loss = 0.0
        self.slopes = np.zeros_like(like if backward else like[:0])
        self.totals = np.zeros(classes)


def added(parts: list[Sums]) -> tuple[Tensor, Slopes]:
    """Return the loss, float64, and the slopes of all parts, added in their order."""
    slopes = parts[0].slopes
    for part in parts[1:]:
        slopes += part.slopes
    totals = np.sum([part.totals for part in parts], axis=0).astype(slopes.dtype)
    loss = torch.tensor(math.fsum(part.loss for part in parts), dtype=torch.float64)
    return loss, Slopes(torch.from_numpy(slopes), torch.from_numpy(totals))
