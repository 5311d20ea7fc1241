"""Matrices of which few rows are not zero."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.penalties.checks import indicator, matrix_checked, positive_metric, positive_step
from gradus.penalties.zero import Zero

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class RowsAtMost:
    """The penalty h(X) = 0 where at most this share of X's rows is not zero, else infinity; not convex.

    The share of n rows is ceil(share n) rows, so that one row at least stays. What stays is not shrunk, and how
    many rows go does not depend on the scale of X, which is what the channels of a network need.

    Cost of each method: O(entries) and sorting the rows.

    Parameters
    ----------
    share : above 0, at most 1

    Raises
    ------
    InputError : if ``share`` is outside its range; at a call, if the point is not a matrix

    References
    ----------
    Blumensath & Davies 2009, Iterative hard thresholding for compressed sensing, equation 8, of rows

    Examples
    --------
    >>> RowsAtMost(0.5).prox(torch.tensor([[3.0, 4.0], [0.0, 0.5], [1.0, 1.0]]), step=1.0)
    tensor([[3., 4.],
            [0., 0.],
            [1., 1.]])
    """

    share: float

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise InputError(f"RowsAtMost's share is {self.share}; expected a number above 0, at most 1")

    def value(self, point: Tensor) -> Tensor:
        """Return 0 where few enough rows are not zero, else infinity."""
        rows = int((matrix_checked("RowsAtMost", point) != 0).any(dim=1).sum())
        return indicator(point, rows <= self._count(len(point)))

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Keep the rows of the largest norms, of equal ones the first."""
        positive_step(step)
        return self._largest(point, matrix_checked("RowsAtMost", point).double().square().sum(dim=1))

    def prox_in_metric(self, point: Tensor, metric: Tensor) -> Tensor:
        """Keep the rows of the largest sum_j metric_ij x_ij^2, of equal ones the first."""
        squares = positive_metric(metric) * matrix_checked("RowsAtMost", point).double().square()
        return self._largest(point, squares.sum(dim=1))

    def relaxation(self) -> Zero:
        """Return no penalty: every matrix is a mean of matrices of few rows."""
        return Zero()

    def _count(self, rows: int) -> int:
        # 0.2 of 15 rows are 3, whatever 0.2 * 15 is rounded to
        return math.ceil(self.share * rows * (1.0 - 1e-12))

    def _largest(self, point: Tensor, sizes: Tensor) -> Tensor:
        # sizes in float64, where squares of float32 neither overflow nor vanish
        kept = sizes.argsort(descending=True, stable=True)[: self._count(len(point))]
        largest = torch.zeros_like(point)
        largest[kept] = point[kept]
        return largest
