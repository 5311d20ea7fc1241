"""Products with a sparse matrix stored row by row, for some of its columns or all, and copies of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gradus.kernels import dispatch

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.columns import SparseColumns

__all__ = ["CompressedRows", "column_sums", "product", "selected_columns", "transposed_product"]


class CompressedRows(NamedTuple):
    """A sparse matrix X, (samples, features), row by row.

    Attributes
    ----------
    values : (entries,) float32 or float64
    columns : (entries,) int32 or int64, the column of each entry; none twice in one row
    starts : (samples + 1,) int32 or int64, where each row begins in the other two, and where the last ends
    """

    values: Tensor
    columns: Tensor
    starts: Tensor


def product(matrix: CompressedRows, weights: Tensor, places: Tensor) -> Tensor:
    """Return X W for a W whose rows are 0 but for those of some columns.

    Parameters
    ----------
    weights : (places used, outputs), the rows of W that count, in the dtype of X, or float64 for sums in float64
    places : (features,) int32, which row of ``weights`` is that of each column, or -1

    Returns
    -------
    (samples, outputs) in the dtype of the weights.

    Examples
    --------
    >>> import torch
    >>> eye = CompressedRows(torch.ones(2), torch.tensor([0, 1]), torch.tensor([0, 1, 2]))
    >>> product(eye, torch.tensor([[3.0]]), torch.tensor([-1, 0], dtype=torch.int32)).tolist()
    [[0.0], [3.0]]
    """
    result: Tensor = _load(matrix).product(matrix, weights, places)
    return result


def transposed_product(matrix: CompressedRows, residual: Tensor, places: Tensor, count: int) -> Tensor:
    """Return the rows of X' R that belong to some columns, each summed in the order of the samples.

    Parameters
    ----------
    residual : R, (samples, outputs), in the dtype of X, or float64 for sums in float64
    places : (features,) int32, where the row of each column goes, all different, or -1
    count : how many rows there are, above every place

    Returns
    -------
    (count, outputs) in the dtype of the residual.

    Examples
    --------
    >>> import torch
    >>> eye = CompressedRows(torch.ones(2), torch.tensor([0, 1]), torch.tensor([0, 1, 2]))
    >>> places = torch.tensor([-1, 0], dtype=torch.int32)
    >>> transposed_product(eye, torch.tensor([[3.0], [4.0]]), places, 1).tolist()
    [[4.0]]
    """
    result: Tensor = _load(matrix).transposed_product(matrix, residual, places, count)
    return result


def column_sums(matrix: CompressedRows, weights: Tensor, features: int) -> Tensor:
    """Return sum_i w_i |x_ij| and sum_i w_i x_ij^2 of each of ``features`` columns, (features, 2), float64.

    Examples
    --------
    >>> import torch
    >>> matrix = CompressedRows(torch.tensor([1.0, -2.0]), torch.tensor([0, 1]), torch.tensor([0, 1, 2]))
    >>> column_sums(matrix, torch.tensor([0.25, 0.75]), 2).tolist()
    [[0.25, 0.25], [1.5, 3.0]]
    """
    result: Tensor = _load(matrix).column_sums(matrix, weights, features)
    return result


def selected_columns(matrix: CompressedRows, places: Tensor, count: int) -> SparseColumns:
    """Return a copy of some columns, in the order of their places; see ``transposed_product``.

    Examples
    --------
    >>> import torch
    >>> eye = CompressedRows(torch.ones(2), torch.tensor([0, 1]), torch.tensor([0, 1, 2]))
    >>> selected_columns(eye, torch.tensor([-1, 0], dtype=torch.int32), 1).samples.tolist()
    [1]
    """
    result: SparseColumns = _load(matrix).selected_columns(matrix, places, count)
    return result


def _load(matrix: CompressedRows) -> Any:
    return dispatch.load("compressed_rows", matrix.values.device.type)
