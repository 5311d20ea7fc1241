"""The products in a few lines of torch, right on any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradus.core.columns import SparseColumns

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.compressed_rows import CompressedRows


def product(matrix: CompressedRows, weights: Tensor, places: Tensor) -> Tensor:
    """Return X W; see the package."""
    samples, at, values = _kept(matrix, places)
    result = weights.new_zeros(len(matrix.starts) - 1, weights.shape[1])
    return result.index_add_(0, samples, values.to(weights.dtype)[:, None] * weights[at])


def transposed_product(matrix: CompressedRows, residual: Tensor, places: Tensor, count: int) -> Tensor:
    """Return rows of X' R; see the package."""
    samples, at, values = _kept(matrix, places)
    result = residual.new_zeros(count, residual.shape[1])
    return result.index_add_(0, at, values.to(residual.dtype)[:, None] * residual[samples])


def column_sums(matrix: CompressedRows, weights: Tensor, features: int) -> Tensor:
    """Return the sums of absolute values and of squares; see the package."""
    values = _within(matrix, matrix.values).double().abs()
    parts = weights.double()[_samples(matrix), None] * torch.stack([values, values.square()], dim=1)
    return parts.new_zeros(features, 2).index_add_(0, _within(matrix, matrix.columns).long(), parts)


def selected_columns(matrix: CompressedRows, places: Tensor, count: int) -> SparseColumns:
    """Return a copy of some columns; see the package."""
    samples, at, values = _kept(matrix, places)
    order = torch.argsort(at, stable=True)
    starts = torch.zeros(count + 1, dtype=torch.int64, device=at.device)
    starts[1:] = torch.bincount(at, minlength=count).cumsum(0)
    return SparseColumns(starts, samples[order].int(), values[order])


def _within(matrix: CompressedRows, entries: Tensor) -> Tensor:
    return entries[int(matrix.starts[0]) : int(matrix.starts[-1])]


def _samples(matrix: CompressedRows) -> Tensor:
    counts = matrix.starts.long().diff()
    return torch.arange(len(counts), device=counts.device).repeat_interleave(counts)


def _kept(matrix: CompressedRows, places: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return sample, place and value of the entries whose column has a place."""
    at = places[_within(matrix, matrix.columns).long()].long()
    kept = at >= 0
    return _samples(matrix)[kept], at[kept], _within(matrix, matrix.values)[kept]
