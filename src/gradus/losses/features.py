"""The matrix of features, dense or sparse, behind the few products that a linear model needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import torch

from gradus.core.errors import InputError
from gradus.kernels.blocks import row_parts
from gradus.kernels.portions import portion
from gradus.kernels.skinny_product import product, transposed_product
from gradus.kernels.threads import each_part
from gradus.losses.chosen_features import ChosenFeatures

if TYPE_CHECKING:
    from collections.abc import Iterator

    import scipy.sparse
    from torch import Tensor

    from gradus.kernels.chosen_rows import ChosenRows

# what a matrix may be stored in
STORED = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.uint8)
# numbers that a processor's cache holds
CACHED_NUMBERS = 262_144
# rows that are copied together, at least
TAKEN_ROWS = 1024
# rows that one product adds to a Gram matrix: their copies are small beside the data
GRAM_ROWS = 1024
# and columns of it that are computed together
PANEL = 256


class Features(Protocol):
    """An (samples, features) matrix that is only ever multiplied."""

    @property
    def shape(self) -> tuple[int, int]:
        """(samples, features)."""

    @property
    def dtype(self) -> torch.dtype:
        """float32 or float64."""

    @property
    def device(self) -> torch.device:
        """Where products are computed and expected."""

    def chunks(self) -> Iterator[tuple[slice, Tensor | ChosenRows | scipy.sparse.csr_array]]:
        """Yield rows and their numbers, for the kernels: all of them, or, where they lie in a file, some at a time."""

    def rows(self, start: int, stop: int, step: int = 1) -> Features:
        """Return every ``step``-th row from ``start`` to before ``stop``."""

    def taken(self, positions: Tensor) -> Features:
        """Return a copy of the rows at ``positions``."""

    def chosen(self, positions: Tensor) -> Features:
        """Return the rows at ``positions``, not copied where they need not be."""

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
    """A dense matrix of float64, float32, float16, bfloat16 or uint8, on a processor or a GPU.

    Numbers of less than 32 bits are computed with in float32, which holds them exactly, and converted in the cache.

    Raises
    ------
    InputError : if it is not a matrix, or of another type

    Examples
    --------
    >>> import torch
    >>> DenseFeatures(torch.eye(2)).times(torch.tensor([[1.0], [2.0]])).tolist()
    [[1.0], [2.0]]
    """

    matrix: Tensor

    def __post_init__(self) -> None:
        if self.matrix.ndim != 2 or self.matrix.dtype not in STORED:
            raise InputError(
                f"features has shape {tuple(self.matrix.shape)} and dtype {self.matrix.dtype}; "
                "expected a matrix with a row per sample, of float64, float32, float16, bfloat16 or uint8"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """(samples, features)."""
        return self.matrix.shape[0], self.matrix.shape[1]

    @property
    def dtype(self) -> torch.dtype:
        """The dtype that is computed in: float64 for a matrix of that, float32 for the others."""
        return torch.float64 if self.matrix.dtype == torch.float64 else torch.float32

    @property
    def device(self) -> torch.device:
        """The device of the matrix."""
        return self.matrix.device

    def chunks(self) -> Iterator[tuple[slice, Tensor]]:
        """Yield all rows and their numbers."""
        yield slice(0, self.shape[0]), self.matrix

    def rows(self, start: int, stop: int, step: int = 1) -> DenseFeatures:
        """Return every ``step``-th row from ``start`` to before ``stop``, without a copy."""
        return DenseFeatures(self.matrix[start:stop:step])

    def taken(self, positions: Tensor) -> DenseFeatures:
        """Return a copy of the rows at ``positions``."""
        if self.device.type != "cpu":
            return DenseFeatures(self.matrix.index_select(0, positions))
        rows = self.matrix.new_empty(len(positions), self.shape[1])

        def copy(part: slice) -> None:
            torch.index_select(self.matrix, 0, positions[part], out=rows[part])

        each_part(row_parts(len(rows), len(rows) // TAKEN_ROWS), copy, rows.numel())
        return DenseFeatures(rows)

    def chosen(self, positions: Tensor) -> Features:
        """Return the rows at ``positions``, on a processor without a copy: only there are they read where they lie."""
        return ChosenFeatures(self, positions) if self.device.type == "cpu" else self.taken(positions)

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
        """Return X' diag(weights) X, half of it computed, some rows at a time, so that their scaled copy is small."""
        samples, features = self.shape
        result = torch.zeros(features, features, dtype=self.dtype, device=self.device)
        step = portion(self.device, GRAM_ROWS * features) // max(features, 1) or GRAM_ROWS
        width = portion(self.device, PANEL)

        def fill(panel: slice) -> None:
            for start in range(0, samples, step):
                rows = slice(start, start + step)
                block = self.matrix[rows, : panel.stop].to(self.dtype)
                scaled = block[:, panel] * weights[rows, None]
                result[panel, : panel.stop].addmm_(scaled.t(), block)
            result[: panel.start, panel] = result[panel, : panel.start].t()

        panels = [slice(start, min(start + width, features)) for start in range(0, features, width)]
        each_part(panels, fill, samples * features**2)
        return result

    def weighted_sums(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return X' weights and (X * X)' weights, a block of rows at a time, so that the squares stay in the cache."""
        plain, squared = torch.zeros(2, self.shape[1], dtype=self.dtype, device=self.device)
        rows = max(portion(self.device, CACHED_NUMBERS) // max(self.shape[1], 1), 1)
        squares = torch.empty(min(rows, self.shape[0]), self.shape[1], dtype=self.dtype, device=self.device)
        for start in range(0, self.shape[0], rows):
            block, share = self.matrix[start : start + rows].to(self.dtype), weights[start : start + rows]
            plain += share @ block
            squared += share @ torch.mul(block, block, out=squares[: len(block)])
        return plain, squared

    def selected(self, columns: Tensor) -> Tensor:
        """Return the features at ``columns`` as rows; all of them lie where they are, unless in another type."""
        if torch.equal(columns, torch.arange(self.shape[1], device=self.device)):
            return self.matrix.t().to(self.dtype)
        return self.matrix.index_select(1, columns).t().to(self.dtype).contiguous()
