"""Some rows of a dense matrix of features, in any order, which are not copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.kernels.chosen_rows import ChosenRows
from gradus.kernels.skinny_product import product, transposed_product

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from gradus.losses.features import DenseFeatures

# rows that are copied at a time where a product is of whole blocks
BLOCK_ROWS = 1024


@dataclass(frozen=True)
class ChosenFeatures:
    """The rows of dense features at some positions.

    The kernels that go over them often, for gradients and products with a Hessian, read them where they lie; the others
    copy some rows at a time.

    Examples
    --------
    >>> from gradus.losses.features import DenseFeatures
    >>> some = DenseFeatures(torch.tensor([[1.0], [2.0], [3.0]])).chosen(torch.tensor([2, 0]))
    >>> some.times(torch.tensor([[10.0]])).tolist()
    [[30.0], [10.0]]
    """

    dense: DenseFeatures
    positions: Tensor

    @property
    def shape(self) -> tuple[int, int]:
        """(samples, features)."""
        return len(self.positions), self.dense.shape[1]

    @property
    def dtype(self) -> torch.dtype:
        """The dtype that is computed in."""
        return self.dense.dtype

    @property
    def device(self) -> torch.device:
        """The device of the matrix."""
        return self.dense.device

    def chunks(self) -> Iterator[tuple[slice, ChosenRows]]:
        """Yield all rows and their numbers."""
        yield slice(0, len(self.positions)), self._rows

    def rows(self, start: int, stop: int, step: int = 1) -> ChosenFeatures:
        """Return every ``step``-th row from ``start`` to before ``stop``, without a copy."""
        return ChosenFeatures(self.dense, self.positions[start:stop:step])

    def taken(self, positions: Tensor) -> DenseFeatures:
        """Return a copy of the rows at ``positions``."""
        return self.dense.taken(self.positions[positions])

    def chosen(self, positions: Tensor) -> ChosenFeatures:
        """Return the rows at ``positions``, without a copy."""
        return ChosenFeatures(self.dense, self.positions[positions])

    def to(self, dtype: torch.dtype) -> ChosenFeatures:
        """Return the same rows in another floating-point type: a copy of them, unless it is their own."""
        if dtype == self.dense.matrix.dtype:
            return self
        copy = self.dense.taken(self.positions).to(dtype)
        return ChosenFeatures(copy, torch.arange(len(self.positions), device=self.device))

    def times(self, weights: Tensor) -> Tensor:
        """Return X @ weights."""
        return product(self._rows, weights)

    def transposed_times(self, residual: Tensor) -> Tensor:
        """Return X' @ residual."""
        return transposed_product(self._rows, residual)

    def gram(self, weights: Tensor) -> Tensor:
        """Return X' diag(weights) X."""
        return self._summed(lambda block, rows: block.gram(weights[rows]))

    def weighted_sums(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return X' weights and (X * X)' weights."""
        plain, squared = self._summed(lambda block, rows: torch.stack(block.weighted_sums(weights[rows])))
        return plain, squared

    def selected(self, columns: Tensor) -> Tensor:
        """Return the features at ``columns`` as rows."""
        parts = [block.selected(columns) for _, block in self._copies()]
        return torch.cat(parts, dim=1) if parts else self.dense.taken(self.positions).selected(columns)

    @property
    def _rows(self) -> ChosenRows:
        return ChosenRows(self.dense.matrix, self.positions)

    def _copies(self) -> Iterator[tuple[slice, DenseFeatures]]:
        for start in range(0, len(self.positions), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            yield rows, self.dense.taken(self.positions[rows])

    def _summed(self, part: Callable[[DenseFeatures, slice], Tensor]) -> Tensor:
        total = None
        for rows, block in self._copies():
            total = part(block, rows) if total is None else total.add_(part(block, rows))
        return part(self.dense.taken(self.positions), slice(0, 0)) if total is None else total
