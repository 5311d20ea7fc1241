"""What a descent on few of many columns asks of a wide matrix that lies row after row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.kernels import dispatch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["column_sums", "selected_columns", "transposed_product"]


def transposed_product(matrix: Tensor, residual: Tensor, columns: Tensor) -> Tensor:
    """Return the rows of X' R that belong to some columns, each summed in the order of the samples.

    A panel of columns is converted and multiplied at a time, so that its sums stay in the cache, which the whole rows'
    do not; the entries that are asked for are read once.

    Parameters
    ----------
    matrix : X, (samples, features), float64, float32, float16 or uint8
    residual : R, (samples, outputs), float64
    columns : (columns,) int64, ascending

    Returns
    -------
    (columns, outputs), float64

    Examples
    --------
    >>> import torch
    >>> X, R = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[10.0]], dtype=torch.float64)
    >>> transposed_product(X, R, torch.tensor([0, 2])).tolist()
    [[10.0], [30.0]]
    """
    result: Tensor = dispatch.load("dense_columns", matrix.device.type).transposed_product(matrix, residual, columns)
    return result


def column_sums(matrix: Tensor, weights: Tensor) -> Tensor:
    """Return sum_i w_i |x_ij| and sum_i w_i x_ij^2 of each column, (features, 2), float64.

    weights : w, (samples,), float64

    Examples
    --------
    >>> import torch
    >>> X, w = torch.tensor([[1.0, 0.0], [0.0, -2.0]]), torch.tensor([0.25, 0.75], dtype=torch.float64)
    >>> column_sums(X, w).tolist()
    [[0.25, 0.25], [1.5, 3.0]]
    """
    result: Tensor = dispatch.load("dense_columns", matrix.device.type).column_sums(matrix, weights)
    return result


def selected_columns(matrix: Tensor, columns: Tensor) -> Tensor:
    """Return a copy of some columns as rows, (columns, samples); float32 unless the matrix is of float64.

    Examples
    --------
    >>> import torch
    >>> selected_columns(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([0, 2])).tolist()
    [[1.0], [3.0]]
    """
    result: Tensor = dispatch.load("dense_columns", matrix.device.type).selected_columns(matrix, columns)
    return result
