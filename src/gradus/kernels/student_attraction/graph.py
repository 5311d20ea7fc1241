"""The sparse, row-wise graph that attraction runs over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Affinities:
    """Edges of weighted rows in compressed form: row i holds the entries ``offsets[i]:offsets[i + 1]``.

    Attributes
    ----------
    offsets : (samples + 1,), int64
    neighbours : (edges,), int32, the column of every edge
    weights : (edges,), float32 or float64, at least 0
    """

    offsets: Tensor
    neighbours: Tensor
    weights: Tensor

    @property
    def samples(self) -> int:
        """The number of rows."""
        return len(self.offsets) - 1
