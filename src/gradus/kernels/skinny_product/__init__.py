"""Products of a tall matrix with a narrow one: X W and X' R, for W and R of a few columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.kernels import dispatch

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.chosen_rows import ChosenRows

__all__ = ["product", "transposed_product"]


def product(matrix: Tensor | ChosenRows, weights: Tensor) -> Tensor:
    """Return X W.

    General libraries are made for square matrices and reach a fifth of the memory's speed here.

    Parameters
    ----------
    matrix : X, (samples, features), float32 or float64, or some rows of such a matrix
    weights : W, (features, outputs), the same dtype, or float64 for sums in float64 without a copy of X

    Returns
    -------
    (samples, outputs) in the dtype of the weights.

    Examples
    --------
    >>> import torch
    >>> product(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    result: Tensor = dispatch.load("skinny_product", matrix.device.type).product(matrix, weights)
    return result


def transposed_product(matrix: Tensor | ChosenRows, residual: Tensor) -> Tensor:
    """Return X' R, summed in an order that does not depend on the number of threads.

    Parameters
    ----------
    matrix : X, (samples, features), float32 or float64, or some rows of such a matrix
    residual : R, (samples, outputs), the same dtype, or float64 for sums in float64 without a copy of X

    Returns
    -------
    (features, outputs) in the dtype of the residual.

    Examples
    --------
    >>> import torch
    >>> transposed_product(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0]]))
    tensor([[3.],
            [6.]])
    """
    result: Tensor = dispatch.load("skinny_product", matrix.device.type).transposed_product(matrix, residual)
    return result
