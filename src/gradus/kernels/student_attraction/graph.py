"""The sparse, row-wise graph that attraction runs over."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.student_attraction.abreast import Abreast


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

    @cached_property
    def abreast(self) -> Abreast | None:
        """The edges laid out for rows that are pulled side by side, where all weigh w or 2 w."""
        from gradus.kernels.student_attraction.abreast import laid_abreast

        return laid_abreast(self.offsets.numpy(), self.neighbours.numpy(), self.weights.numpy())
