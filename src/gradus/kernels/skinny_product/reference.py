"""The products by torch, right on any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.kernels.chosen_rows import whole

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.chosen_rows import ChosenRows


def product(matrix: Tensor | ChosenRows, weights: Tensor) -> Tensor:
    """Return X W."""
    return whole(matrix).to(weights.dtype) @ weights


def transposed_product(matrix: Tensor | ChosenRows, residual: Tensor) -> Tensor:
    """Return X' R; (R' X)' is the faster order."""
    return (residual.t() @ whole(matrix).to(residual.dtype)).t()
