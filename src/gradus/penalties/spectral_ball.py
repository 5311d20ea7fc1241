"""Matrices whose largest singular value is at most a given number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.penalties.checks import (
    ROUNDING,
    indicator,
    largest,
    matrix_checked,
    positive_checked,
    positive_step,
)
from gradus.penalties.spectral import singular_values, with_singular_values

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class SpectralBall:
    """The penalty h(X) = 0 where the largest singular value is at most ``radius``, else infinity.

    Cost of each method: the singular values, O(n m min(n, m)).

    Parameters
    ----------
    radius : positive

    Raises
    ------
    InputError : if ``radius`` is not positive or not finite; at a call, if the point is not a matrix

    References
    ----------
    Parikh & Boyd 2014, Proximal Algorithms, section 6.7.2

    Examples
    --------
    >>> import torch
    >>> SpectralBall(1.0).prox(torch.diag(torch.tensor([3.0, 0.5])), step=1.0).abs()
    tensor([[1.0000, 0.0000],
            [0.0000, 0.5000]])
    """

    radius: float

    def __post_init__(self) -> None:
        positive_checked("SpectralBall's radius", self.radius)

    def value(self, point: Tensor) -> Tensor:
        """Return 0 in the ball and within rounding errors of it, else infinity."""
        norm = largest(singular_values(matrix_checked("SpectralBall", point)))
        return indicator(point, norm <= self.radius * (1.0 + ROUNDING))

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Clip the singular values at the radius."""
        positive_step(step)
        matrix = matrix_checked("SpectralBall", point)
        return with_singular_values(matrix, lambda values: values.clamp_max(self.radius))

    def conjugate(self, point: Tensor) -> Tensor:
        """Return radius * the sum of the singular values."""
        return self.radius * singular_values(matrix_checked("SpectralBall", point)).sum()

    def gauge(self, point: Tensor) -> float:
        """Return 0, the conjugate being finite everywhere."""
        return 0.0
