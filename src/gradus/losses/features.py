"""The matrix of features, dense or sparse, behind the few products that a linear model needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import torch

from gradus.core.errors import InputError
from gradus.kernels.skinny_product import product, transposed_product

if TYPE_CHECKING:
    import scipy.sparse
    from torch import Tensor

# numbers that a processor's cache holds
CACHED_NUMBERS = 262_144


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

    def taken(self, positions: Tensor) -> Self:
        """Return a copy of the rows at ``positions``."""

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
    >>> import torch
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

    def taken(self, positions: Tensor) -> DenseFeatures:
        """Return a copy of the rows at ``positions``."""
        return DenseFeatures(self.matrix[positions])

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
        """Return X' weights and (X * X)' weights, a block of rows at a time, so that the squares stay in the cache."""
        plain, squared = self.matrix.new_zeros(2, self.shape[1])
        rows = max(CACHED_NUMBERS // max(self.shape[1], 1), 1)
        squares = self.matrix.new_empty(min(rows, self.shape[0]), self.shape[1])
        for start in range(0, self.shape[0], rows):
            block, share = self.matrix[start : start + rows], weights[start : start + rows]
            plain += share @ block
            squared += share @ torch.mul(block, block, out=squares[: len(block)])
        return plain, squared

    def selected(self, columns: Tensor) -> Tensor:
        """Return the features at ``columns`` as rows."""
        return self.matrix.index_select(1, columns).t().contiguous()
