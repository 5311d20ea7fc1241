"""The number of singular values that are not zero."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.penalties.checks import matrix_checked, positive_step, strength_checked
from gradus.penalties.nuclear import Nuclear
from gradus.penalties.spectral import rank_of, with_singular_values

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Rank:
    """The penalty h(X) = strength * rank(X); not convex.

    Cost of each method: a thin singular value decomposition, O(n m min(n, m)).

    Parameters
    ----------
    strength : not negative

    Raises
    ------
    InputError : if ``strength`` is negative or not finite; at a call, if the point is not a matrix

    References
    ----------
    Eckart & Young 1936; Hiriart-Urruty & Le 2013, From Eckart and Young approximation to Moreau envelopes, theorem 2

    Examples
    --------
    >>> import torch
    >>> Rank(2.0).value(torch.ones(3, 3)).item()
    2.0
    >>> Rank(2.0).prox(torch.diag(torch.tensor([3.0, 1.5])), step=1.0).abs()
    tensor([[3., 0.],
            [0., 0.]])
    """

    strength: float

    def __post_init__(self) -> None:
        strength_checked("Rank", self.strength)

    def value(self, point: Tensor) -> Tensor:
        """Return strength * rank(X), a float64 scalar; singular values that are rounding errors do not count."""
        return self.strength * rank_of(matrix_checked("Rank", point))

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Keep the singular values whose squares are above 2 step * strength."""
        least = math.sqrt(2.0 * positive_step(step) * self.strength)
        matrix = matrix_checked("Rank", point)
        return with_singular_values(matrix, lambda values: values.where(values > least, 0.0))

    def relaxation(self) -> Nuclear:
        """Return the sum of the singular values, of the same strength."""
        return Nuclear(self.strength)
