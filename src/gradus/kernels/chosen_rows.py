"""Some rows of a matrix, in any order, which are not copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class ChosenRows:
    """The rows of ``matrix`` with some numbers: as a copy of them would be, but for the memory.

    Attributes
    ----------
    matrix : (rows of the matrix, columns)
    numbers : (rows,) int64, each at least 0 and below the rows of the matrix

    Examples
    --------
    >>> import torch
    >>> ChosenRows(torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([2, 0])).copied().tolist()
    [[3.0], [1.0]]
    """

    matrix: Tensor
    numbers: Tensor

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, rows: slice) -> ChosenRows:
        return ChosenRows(self.matrix, self.numbers[rows])

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return len(self.numbers), self.matrix.shape[1]

    @property
    def dtype(self) -> torch.dtype:
        """What the numbers are stored in."""
        return self.matrix.dtype

    @property
    def device(self) -> torch.device:
        """Where the numbers lie."""
        return self.matrix.device

    def copied(self) -> Tensor:
        """Return the rows as a matrix of their own."""
        return self.matrix.index_select(0, self.numbers)


def whole(matrix: Tensor | ChosenRows) -> Tensor:
    """Return a matrix as it is, and chosen rows as a matrix of their own."""
    return matrix.copied() if isinstance(matrix, ChosenRows) else matrix
