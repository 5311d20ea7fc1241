"""A sparse matrix of features."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch

from gradus.core.errors import InputError
from gradus.kernels.compressed_rows import CompressedRows, column_sums, product, selected_columns, transposed_product

if TYPE_CHECKING:
    from collections.abc import Iterator

    import scipy.sparse
    from torch import Tensor

    from gradus.core.columns import SparseColumns


@dataclass(frozen=True)
class SparseFeatures:
    """A SciPy matrix in compressed sparse rows, with 32-bit or 64-bit indices; products come back dense.

    Raises
    ------
    InputError : if a row has a column twice, or its columns not in ascending order

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> SparseFeatures(csr_array(np.eye(2))).times(torch.tensor([[1.0], [2.0]], dtype=torch.float64)).tolist()
    [[1.0], [2.0]]
    """

    matrix: scipy.sparse.csr_array

    def __post_init__(self) -> None:
        if not self.matrix.has_canonical_format:
            raise InputError(
                "features has rows whose columns are out of order or there twice: give a copy after sum_duplicates()"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """(samples, features)."""
        return int(self.matrix.shape[0]), int(self.matrix.shape[1])

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the stored values."""
        return torch.float32 if self.matrix.dtype == np.float32 else torch.float64

    @property
    def device(self) -> torch.device:
        """Sparse products run on the CPU."""
        return torch.device("cpu")

    @cached_property
    def compressed(self) -> CompressedRows:
        """The same numbers for the kernels, not copied where they may be written to."""
        parts = (self.matrix.data, self.matrix.indices, self.matrix.indptr)
        return CompressedRows(*(torch.from_numpy(part if part.flags.writeable else part.copy()) for part in parts))

    def chunks(self) -> Iterator[tuple[slice, scipy.sparse.csr_array]]:
        """Yield all rows and their numbers."""
        yield slice(0, self.shape[0]), self.matrix

    def rows(self, start: int, stop: int, step: int = 1) -> SparseFeatures:
        """Return every ``step``-th row from ``start`` to before ``stop``; all of them are not copied."""
        if step == 1 and start == 0 and stop >= self.shape[0]:
            return self
        return SparseFeatures(self.matrix[start:stop:step])

    def taken(self, positions: Tensor) -> SparseFeatures:
        """Return a copy of the rows at ``positions``."""
        return SparseFeatures(self.matrix[positions.numpy()])

    def chosen(self, positions: Tensor) -> SparseFeatures:
        """Return a copy of the rows at ``positions``."""
        return self.taken(positions)

    def to(self, dtype: torch.dtype) -> SparseFeatures:
        """Return the same matrix in another floating-point type."""
        return SparseFeatures(self.matrix.astype(_numpy_dtype(dtype), copy=False))

    def times(self, weights: Tensor) -> Tensor:
        """Return X @ weights."""
        return product(self.compressed, weights, self._everywhere())

    def times_rows(self, weights: Tensor, features: Tensor) -> Tensor:
        """Return X @ W for a W that is 0 but for the rows ``weights`` at ``features``, (rows,) int64."""
        return product(self.compressed, weights, self._places(features))

    def transposed_times(self, residual: Tensor) -> Tensor:
        """Return X' @ residual."""
        return transposed_product(self.compressed, residual, self._everywhere(), self.shape[1])

    def transposed_rows(self, residual: Tensor, features: Tensor) -> Tensor:
        """Return the rows of X' @ residual at ``features``, (rows,) int64, all different."""
        return transposed_product(self.compressed, residual, self._places(features), len(features))

    def columns(self, features: Tensor) -> SparseColumns:
        """Return a copy of the features at ``features``, (columns,) int64, all different."""
        return selected_columns(self.compressed, self._places(features), len(features))

    def absolute_sums(self, weights: Tensor) -> Tensor:
        """Return |X|' weights and (X * X)' weights side by side, (features, 2), float64."""
        return column_sums(self.compressed, weights, self.shape[1])

    def gram(self, weights: Tensor) -> Tensor:
        """Return X' diag(weights) X, dense."""
        scaled = self.matrix.multiply(weights.sqrt().numpy()[:, None]).tocsr()
        return torch.from_numpy((scaled.T @ scaled).toarray())

    def weighted_sums(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return X' weights and (X * X)' weights."""
        squares = self.absolute_sums(weights)[:, 1].to(weights.dtype)
        return torch.from_numpy(self.matrix.T @ weights.numpy()), squares

    def selected(self, columns: Tensor) -> Tensor:
        """Return the features at ``columns`` as dense rows."""
        return torch.from_numpy(np.ascontiguousarray(self.matrix[:, columns.numpy()].toarray().T))

    def _everywhere(self) -> Tensor:
        return torch.arange(self.shape[1], dtype=torch.int32)

    def _places(self, features: Tensor) -> Tensor:
        places = torch.full((self.shape[1],), -1, dtype=torch.int32)
        places[features] = torch.arange(len(features), dtype=torch.int32)
        return places


def _numpy_dtype(dtype: torch.dtype) -> type[np.floating]:
    return np.float32 if dtype == torch.float32 else np.float64
