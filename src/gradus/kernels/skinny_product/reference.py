"""The products by torch, right on any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def product(matrix: Tensor, weights: Tensor) -> Tensor:
    """Return X W."""
    return matrix.to(weights.dtype) @ weights


def transposed_product(matrix: Tensor, residual: Tensor) -> Tensor:
    """Return X' R; (R' X)' is the faster order."""
    return (residual.t() @ matrix.to(residual.dtype)).t()
