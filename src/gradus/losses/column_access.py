"""Features whose columns can be had one at a time, however they are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gradus.losses.dense_columns import DenseColumns
from gradus.losses.features import DenseFeatures, Features
from gradus.losses.sparse_features import SparseFeatures

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.columns import SparseColumns


class ColumnAccess(Protocol):
    """A matrix X, (samples, features), of whose columns few matter."""

    @property
    def shape(self) -> tuple[int, int]:
        """(samples, features)."""

    def columns(self, features: Tensor) -> SparseColumns:
        """Return a copy of the features at ``features``, (columns,) int64, ascending and all different."""

    def times_rows(self, weights: Tensor, features: Tensor) -> Tensor:
        """Return X @ W for a W that is 0 but for the rows ``weights``, float64, at ``features``."""

    def transposed_rows(self, residual: Tensor, features: Tensor) -> Tensor:
        """Return the rows of X' @ residual, float64, at ``features``."""

    def absolute_sums(self, weights: Tensor) -> Tensor:
        """Return |X|' weights and (X * X)' weights side by side, (features, 2), float64."""


def column_access(features: Features) -> ColumnAccess | None:
    """Return the columns of ``features``; None where they cannot be had one at a time.

    Those in a file are read row after row, and those on a GPU multiplied as a whole.

    Examples
    --------
    >>> import torch
    >>> found = column_access(DenseFeatures(torch.tensor([[1.0, 2.0]])))
    >>> found.columns(torch.tensor([1])).values.tolist()
    [2.0]
    """
    if isinstance(features, DenseFeatures):
        return DenseColumns(features) if features.device.type == "cpu" else None
    return features if isinstance(features, SparseFeatures) else None
