"""Vectors whose last entry is at least the norm of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.penalties.checks import ROUNDING, positive_step
from gradus.penalties.row_wise import as_row, row_indicator

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class SecondOrderCone:
    """The penalty h(x, s) = 0 where |x| <= s, else infinity; s is the last entry.

    It has no ``conjugate`` here: that is the indicator of the opposite cone, and no use to a duality gap. Cost: O(n).

    References
    ----------
    Parikh & Boyd 2014, Proximal Algorithms, section 6.3.2

    Examples
    --------
    >>> SecondOrderCone().prox(torch.tensor([3.0, 4.0, 0.0]), step=1.0)
    tensor([1.5000, 2.0000, 2.5000])
    """

    def value(self, point: Tensor) -> Tensor:
        """Return 0 in the cone and within rounding errors of it, else infinity."""
        return self.values_of_rows(as_row(point)).sum()

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return the nearest point of the cone.

        (x, s) itself where |x| <= s, 0 where |x| <= -s, else (|x| + s) / 2 (x / |x|, 1).
        """
        return self.prox_of_rows(as_row(point), step).reshape(point.shape)

    def values_of_rows(self, points: Tensor) -> Tensor:
        """Return the value of each row, (rows,)."""
        wide = points.double()
        norms, heights = _norms_and_heights(wide)
        return row_indicator((norms - heights <= ROUNDING * (norms + heights.abs()))[:, 0])

    def prox_of_rows(self, points: Tensor, step: float) -> Tensor:
        """Return the nearest point of the cone to each row."""
        positive_step(step)
        wide = points.double()
        norms, heights = _norms_and_heights(wide)
        height = (0.5 * (norms + heights)).clamp_min(0.0)
        ray = wide / norms.clamp_min(torch.finfo(torch.float64).tiny) * height
        ray = torch.cat([ray[:, :-1], height], dim=1)[:, : points.shape[1]]
        return wide.where(norms <= heights, ray).to(points.dtype)


def _norms_and_heights(points: Tensor) -> tuple[Tensor, Tensor]:
    """Return |x| and s of each row, (rows, 1) each; a row without entries is the apex."""
    padded = torch.cat([points, points.new_zeros(len(points), 0 if points.shape[1] else 1)], dim=1)
    return torch.linalg.vector_norm(padded[:, :-1], dim=1, keepdim=True), padded[:, -1:]
