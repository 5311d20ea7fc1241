"""A partition of rows into cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Cells:
    """Rows grouped by cell: cell c holds ``members[offsets[c]:offsets[c + 1]]``.

    Attributes
    ----------
    offsets : (cells + 1,), int64
    members : (samples,), int32, every row once
    """

    offsets: Tensor
    members: Tensor

    @classmethod
    def of(cls, owner: Tensor, count: int) -> Cells:
        """Group rows by the number of their cell, ``owner`` (samples,), each less than ``count``.

        Examples
        --------
        >>> Cells.of(torch.tensor([1, 0, 1]), count=3)
        Cells(offsets=tensor([0, 1, 3, 3]), members=tensor([1, 0, 2], dtype=torch.int32))
        """
        offsets = torch.zeros(count + 1, dtype=torch.int64, device=owner.device)
        offsets[1:] = torch.bincount(owner, minlength=count).cumsum(0)
        return cls(offsets, owner.argsort(stable=True).int())

    @property
    def sizes(self) -> Tensor:
        """Rows in every cell, (cells,)."""
        return self.offsets.diff()
