"""Matrices of low rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.penalties.checks import indicator, matrix_checked, positive_step
from gradus.penalties.spectral import rank_of, with_singular_values
from gradus.penalties.zero import Zero

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class RankAtMost:
    """The penalty h(X) = 0 where rank(X) <= rank, else infinity; not convex.

    Cost of each method: a thin singular value decomposition, O(n m min(n, m)).

    Parameters
    ----------
    rank : a whole number, not negative

    Raises
    ------
    InputError : if ``rank`` is not a whole number >= 0; at a call, if the point is not a matrix

    References
    ----------
    Eckart & Young 1936, The approximation of one matrix by another of lower rank

    Examples
    --------
    >>> RankAtMost(1).prox(torch.diag(torch.tensor([3.0, 1.5])), step=1.0).abs()
    tensor([[3., 0.],
            [0., 0.]])
    """

    rank: int

    def __post_init__(self) -> None:
        if not (self.rank >= 0 and self.rank == int(self.rank)):
            raise InputError(f"RankAtMost's rank is {self.rank}; expected a whole number >= 0")

    def value(self, point: Tensor) -> Tensor:
        """Return 0 where the rank is at most ``rank`` but for rounding errors, else infinity."""
        return indicator(point, int(rank_of(matrix_checked("RankAtMost", point))) <= self.rank)

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Keep the largest ``rank`` singular values."""
        positive_step(step)
        return with_singular_values(matrix_checked("RankAtMost", point), self._largest)

    def relaxation(self) -> Zero:
        """Return no penalty: every matrix is a mean of matrices of low rank."""
        return Zero()

    def _largest(self, values: Tensor) -> Tensor:
        return values.where(torch.arange(len(values), device=values.device) < self.rank, 0.0)
