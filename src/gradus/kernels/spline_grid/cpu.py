"""The grid on the processor: rows gather their charges, transforms leave the padding out, points read in parallel."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gradus.kernels.spline_grid.convolution import convolve
from gradus.kernels.spline_grid.orders import GATHER, READ, WEIGH
from gradus.kernels.spline_grid.splines import ranks_by_row
from gradus.kernels.threads import worth

# arithmetic steps per node that a point touches, roughly
STEPS = 8

__all__ = ["convolve", "interpolate", "spread"]


def spread(places: Tensor, shape: tuple[int, int], order: int) -> Tensor:
    """Return the grid of charges; see the package."""
    rows = np.ascontiguousarray(places.detach().numpy())
    charges = np.zeros(shape, rows.dtype)
    firsts = np.empty(rows.shape, np.int32)
    weights = np.empty((*rows.shape, order), rows.dtype)
    starts = np.zeros(shape[0] + 1, np.int64)
    with worth(STEPS * len(rows) * order * order):
        WEIGH[order](rows, ranks_by_row(rows, starts), firsts, weights)
        GATHER[order](starts, firsts, weights, charges)
    return torch.from_numpy(charges)


def interpolate(potential: Tensor, places: Tensor, order: int) -> tuple[Tensor, Tensor]:
    """Return the spline and its gradient at every place; see the package."""
    rows = np.ascontiguousarray(places.detach().numpy())
    values = np.empty(len(rows), np.float64)
    slopes = np.empty_like(rows)
    with worth(2 * STEPS * len(rows) * order * order):
        READ[order](np.ascontiguousarray(potential.numpy()), rows, values, slopes)
    return torch.from_numpy(values), torch.from_numpy(slopes)
