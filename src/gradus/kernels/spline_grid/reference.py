"""What the grid computes, on any device: weights of all points at once, scattered and gathered by index."""

from __future__ import annotations

import torch
from torch import Tensor


def spread(places: Tensor, shape: tuple[int, int], order: int) -> Tensor:
    """Return the grid of charges; see the package."""
    height, width = shape
    nodes, (rows, columns), _ = _stencil(places, width, order)
    weights = rows[:, :, None] * columns[:, None, :]
    charges = torch.zeros(height * width, dtype=places.dtype, device=places.device)
    return charges.index_add_(0, nodes.reshape(-1), weights.reshape(-1)).reshape(height, width)


def convolve(charges: Tensor, spectrum: Tensor) -> Tensor:
    """Return the convolved charges; see the package."""
    height, width = charges.shape
    doubled = (2 * height, 2 * width)
    whole_spectrum = torch.cat([spectrum, spectrum[:, 1:-1].flip(1)], 1).T
    waves: Tensor = torch.fft.rfft2(charges, s=doubled) * whole_spectrum
    whole: Tensor = torch.fft.irfft2(waves, s=doubled)
    return whole[:height, :width]


def interpolate(potential: Tensor, places: Tensor, order: int) -> tuple[Tensor, Tensor]:
    """Return the spline and its gradient at every place; see the package."""
    nodes, (rows, columns), (row_slopes, column_slopes) = _stencil(places, potential.shape[1], order)
    around = potential.reshape(-1)[nodes]
    values = torch.einsum("nrc,nr,nc->n", around, rows, columns).double()
    down = torch.einsum("nrc,nr,nc->n", around, row_slopes, columns)
    along = torch.einsum("nrc,nr,nc->n", around, rows, column_slopes)
    return values, torch.stack([down, along], dim=1)


def _stencil(places: Tensor, width: int, order: int) -> tuple[Tensor, tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return flat node numbers (samples, order, order), and per axis the weights and their slopes (samples, order)."""
    base = places.floor()
    span = torch.arange(order, device=places.device)
    down = base[:, 0].long()[:, None] + span
    along = base[:, 1].long()[:, None] + span
    rows, row_slopes = _splines(places[:, 0] - base[:, 0], order)
    columns, column_slopes = _splines(places[:, 1] - base[:, 1], order)
    return down[:, :, None] * width + along[:, None, :], (rows, columns), (row_slopes, column_slopes)


def _splines(fraction: Tensor, order: int) -> tuple[Tensor, Tensor]:
    """Return the B-spline of this order at its nodes, and the slope, by the recursion over orders."""
    t = fraction[:, None]
    weights, slopes = torch.ones_like(t), torch.zeros_like(t)
    for k in range(2, order + 1):
        lower = torch.nn.functional.pad(weights, (1, 1))
        slopes = lower[:, :-1] - lower[:, 1:]
        j = torch.arange(k, device=t.device)
        weights = ((t + k - 1 - j) * lower[:, :-1] + (j + 1 - t) * lower[:, 1:]) / (k - 1)
    return weights, slopes
