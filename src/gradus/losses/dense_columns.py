"""The columns of a dense matrix of features, which are had some at a time and copied no further than they are used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.core.columns import SparseColumns
from gradus.kernels.dense_columns import column_sums, selected_columns, transposed_product

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.losses.features import DenseFeatures

# columns that are copied at a time
PANEL = 256


@dataclass(frozen=True)
class DenseColumns:
    """What ``ColumnModel`` asks of the columns, of a matrix that lies row after row; see ``ColumnAccess``.

    Examples
    --------
    >>> from gradus.losses.features import DenseFeatures
    >>> columns = DenseColumns(DenseFeatures(torch.tensor([[1.0, 2.0, 3.0]])))
    >>> columns.transposed_rows(torch.tensor([[10.0]], dtype=torch.float64), torch.tensor([0, 2])).tolist()
    [[10.0], [30.0]]
    """

    dense: DenseFeatures

    @property
    def shape(self) -> tuple[int, int]:
        """(samples, features)."""
        return self.dense.shape

    def columns(self, features: Tensor) -> SparseColumns:
        """Return a copy of the features at ``features``, (columns,) int64; every sample is an entry."""
        samples = self.dense.shape[0]
        starts = samples * torch.arange(len(features) + 1)
        rows = torch.arange(samples, dtype=torch.int32).repeat(len(features))
        return SparseColumns(starts, rows, selected_columns(self.dense.matrix, features).ravel())

    def times_rows(self, weights: Tensor, features: Tensor) -> Tensor:
        """Return X @ W for a W that is 0 but for the rows ``weights``, float64, at ``features``, (rows,) int64."""
        result = weights.new_zeros(self.shape[0], weights.shape[1])
        for start in range(0, len(features), PANEL):
            part = slice(start, start + PANEL)
            result.addmm_(selected_columns(self.dense.matrix, features[part]).to(weights.dtype).t(), weights[part])
        return result

    def transposed_rows(self, residual: Tensor, features: Tensor) -> Tensor:
        """Return the rows of X' @ residual at ``features``, (rows,) int64."""
        return transposed_product(self.dense.matrix, residual, features)

    def absolute_sums(self, weights: Tensor) -> Tensor:
        """Return |X|' weights and (X * X)' weights side by side, (features, 2), float64."""
        return column_sums(self.dense.matrix, weights)
