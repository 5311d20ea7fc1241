"""The matrix of features, dense or sparse, behind the few products that a linear model needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
import torch

from gradus.core.errors import InputError
from gradus.kernels.skinny_product import product, transposed_product

if TYPE_CHECKING:
    import scipy.sparse
    from torch import Tensor


class Features(Protocol):
    """An (samples, features) matrix that is only ever multiplied."""

    @property
    def matrix(self) -> Tensor | scipy.sparse.csr_array:
        """The numbers, for the kernels."""

    @property
    def shape(self) -> tuple[int, int]:
        """(samples, features)."""

    @property
    def dtype(self) -> torch.dtype:
        """float32 or float64."""

    @property
    def device(self) -> torch.device:
        """Where products are computed and expected."""

    def rows(self, start: int, stop: int, step: int = 1) -> Self:
        """Return every ``step``-th row from ``start`` to before ``stop``."""

    def to(self, dtype: torch.dtype) -> Self:
        """Return the same matrix in another floating-point type."""

    def times(self, weights: Tensor) -> Tensor:
        """Return X @ weights for weights (features, outputs) of the same dtype, or of float64 for sums in float64."""

    def transposed_times(self, residual: Tensor) -> Tensor:
        """Return X' @ residual for a residual (samples, outputs) of the same dtype, or of float64."""

    def gram(self, weights: Tensor) -> Tensor:
        """Return X' diag(weights) X, (features, features), dense."""

    def weighted_sums(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return X' weights and (X * X)' weights, each (features,)."""

    def selected(self, columns: Tensor) -> Tensor:
        """Return the features at ``columns``, (columns,) indices, as dense rows (columns, samples)."""


@dataclass(frozen=True)
class DenseFeatures:
    """A dense matrix.

    Examples
    --------
    >>> DenseFeatures(torch.eye(2)).times(torch.tensor([[1.0], [2.0]])).tolist()
    [[1.0], [2.0]]
    """

    matrix: Tensor

    def __post_init__(self) -> None:
        if self.matrix.ndim != 2 or not self.matrix.is_floating_point():
            raise InputError(
                f"features has shape {tuple(self.matrix.shape)} and dtype {self.matrix.dtype}; "
                "expected a floating-point matrix with a row per sample"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """(samples, features)."""
        return self.matrix.shape[0], self.matrix.shape[1]

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the matrix."""
        return self.matrix.dtype

    @property
    def device(self) -> torch.device:
        """The device of the matrix."""
        return self.matrix.device

    def rows(self, start: int, stop: int, step: int = 1) -> DenseFeatures:
        """Return every ``step``-th row from ``start`` to before ``stop``, without a copy."""
        return DenseFeatures(self.matrix[start:stop:step])

    def to(self, dtype: torch.dtype) -> DenseFeatures:
        """Return the same matrix in another floating-point type."""
        return DenseFeatures(self.matrix.to(dtype))

    def times(self, weights: Tensor) -> Tensor:
        """Return X @ weights."""
        return product(self.matrix, weights)

    def transposed_times(self, residual: Tensor) -> Tensor:
        """Return X' @ residual."""
        return transposed_product(self.matrix, residual)

    def gram(self, weights: Tensor) -> Tensor:
        """Return X' diag(weights) X."""
        scaled = self.matrix * weights.sqrt()[:, None]
        return scaled.t() @ scaled

    def weighted_sums(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return X' weights and (X * X)' weights."""
        return weights @ self.matrix, weights @ self.matrix.square()

    def selected(self, columns: Tensor) -> Tensor:
        """Return the features at ``columns`` as rows."""
        return self.matrix.t().contiguous()[columns]


@dataclass(frozen=True)
class SparseFeatures:
    """A SciPy matrix in compressed sparse rows, with 32-bit or 64-bit indices; products come back dense.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> SparseFeatures(csr_array(np.eye(2))).times(torch.tensor([[1.0], [2.0]], dtype=torch.float64)).tolist()
    [[1.0], [2.0]]
    """

    matrix: scipy.sparse.csr_array

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

    def rows(self, start: int, stop: int, step: int = 1) -> SparseFeatures:
        """Return every ``step``-th row from ``start`` to before ``stop``."""
        return SparseFeatures(self.matrix[start:stop:step])

    def to(self, dtype: torch.dtype) -> SparseFeatures:
        """Return the same matrix in another floating-point type."""
        return SparseFeatures(self.matrix.astype(_numpy_dtype(dtype), copy=False))

    def times(self, weights: Tensor) -> Tensor:
        """Return X @ weights."""
        return torch.from_numpy(self.matrix @ weights.numpy())

    def transposed_times(self, residual: Tensor) -> Tensor:
        """Return X' @ residual."""
        return torch.from_numpy(self.matrix.T @ residual.numpy())

    def gram(self, weights: Tensor) -> Tensor:
        """Return X' diag(weights) X, dense."""
        scaled = self.matrix.multiply(weights.sqrt().numpy()[:, None]).tocsr()
        return torch.from_numpy((scaled.T @ scaled).toarray())

    def weighted_sums(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return X' weights and (X * X)' weights."""
        plain = self.matrix.T @ weights.numpy()
        squared = self.matrix.power(2).T @ weights.numpy()
        return torch.from_numpy(plain), torch.from_numpy(squared)

    def selected(self, columns: Tensor) -> Tensor:
        """Return the features at ``columns`` as dense rows."""
        return torch.from_numpy(np.ascontiguousarray(self.matrix[:, columns.numpy()].toarray().T))


def _numpy_dtype(dtype: torch.dtype) -> type[np.floating]:
    return np.float32 if dtype == torch.float32 else np.float64
