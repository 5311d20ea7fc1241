"""Entries that are not negative and sum to a given number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.penalties.checks import ROUNDING, largest, positive_checked, positive_step, scalar
from gradus.penalties.row_wise import as_row, most, row_indicator

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Simplex:
    """The penalty h(x) = 0 where all x_i >= 0 and sum_i x_i = total, else infinity.

    Cost of the projection: a sort, O(n log n).

    Parameters
    ----------
    total : positive

    Raises
    ------
    InputError : if ``total`` is not positive or not finite

    References
    ----------
    Held, Wolfe & Crowder 1974, Validation of subgradient optimization, section 4; Condat 2016, Fast projection onto
    the simplex and the l1 ball, algorithm 1

    Examples
    --------
    >>> Simplex().prox(torch.tensor([3.0, 2.5, -1.0]), step=1.0)
    tensor([0.7500, 0.2500, 0.0000])
    >>> Simplex().value(torch.tensor([0.5, 0.2])).item()
    inf
    """

    total: float = 1.0

    def __post_init__(self) -> None:
        positive_checked("Simplex's total", self.total)

    def value(self, point: Tensor) -> Tensor:
        """Return 0 in the simplex and within rounding errors of it, else infinity."""
        return self.values_of_rows(as_row(point)).sum()

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return the nearest point of the simplex, max(v_i - theta, 0) for the theta that makes the sum right."""
        return self.prox_of_rows(as_row(point), step).reshape(point.shape)

    def values_of_rows(self, points: Tensor) -> Tensor:
        """Return the value of each row, (rows,)."""
        wide = points.double()
        room = ROUNDING * self.total
        return row_indicator(((wide.sum(dim=1) - self.total).abs() <= room) & (most(-wide) <= room))

    def prox_of_rows(self, points: Tensor, step: float) -> Tensor:
        """Return the nearest point of the simplex to each row."""
        positive_step(step)
        return onto_simplex(points, self.total)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return total * max_i v_i."""
        return scalar(point, self.total * largest(point))

    def gauge(self, point: Tensor) -> float:
        """Return 0, the conjugate being finite everywhere."""
        return 0.0


def onto_simplex(points: Tensor, total: float) -> Tensor:
    """Return the projection of each row of ``points`` (rows, n) onto the simplex of sum ``total``.

    Relative to each row's largest entry, so that rounding does not depend on how far away the row is.
    """
    if not points.numel():
        return points.clone()
    wide = points.double()
    wide = wide - wide.amax(dim=1, keepdim=True)
    ordered = wide.sort(dim=1, descending=True).values
    counts = torch.arange(1, points.shape[1] + 1, dtype=torch.float64, device=points.device)
    levels = (ordered.cumsum(dim=1) - total) / counts
    # the entries above their level are the first so many
    kept = (ordered > levels).sum(dim=1, keepdim=True)
    return (wide - levels.gather(1, kept - 1)).clamp_min(0.0).to(points.dtype)
