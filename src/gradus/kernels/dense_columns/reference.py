"""The same by torch, with a copy of the columns in float64: right on any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def transposed_product(matrix: Tensor, residual: Tensor, columns: Tensor) -> Tensor:
    """Return rows of X' R; see the package."""
    return matrix.index_select(1, columns).double().t() @ residual


def column_sums(matrix: Tensor, weights: Tensor) -> Tensor:
    """Return the sums of absolute values and of squares; see the package."""
    wide = matrix.double()
    return torch.stack([wide.abs().t() @ weights, wide.square().t() @ weights], dim=1)


def selected_columns(matrix: Tensor, columns: Tensor) -> Tensor:
    """Return a copy of some columns; see the package."""
    dtype = torch.float64 if matrix.dtype == torch.float64 else torch.float32
    return matrix.index_select(1, columns).t().to(dtype).contiguous()
