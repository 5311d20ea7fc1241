"""The sum of the singular values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.penalties.checks import indicator, positive_step, strength_checked

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Nuclear:
    """The penalty h(X) = strength * sum of the singular values of a matrix, which makes its rank low.

    Parameters
    ----------
    strength : not negative

    Raises
    ------
    InputError : if ``strength`` is negative or not finite; at a call, if the point is not a matrix

    References
    ----------
    Cai, Candes & Shen 2010; Parikh & Boyd 2014, Proximal Algorithms, section 6.7.3

    Examples
    --------
    >>> Nuclear(1.0).value(torch.diag(torch.tensor([3.0, 0.5]))).item()
    3.5
    >>> Nuclear(1.0).prox(torch.diag(torch.tensor([3.0, 0.5])), step=1.0).abs().tolist()
    [[2.0, 0.0], [0.0, 0.0]]
    """

    strength: float

    def __post_init__(self) -> None:
        strength_checked("Nuclear", self.strength)

    def value(self, point: Tensor) -> Tensor:
        """Return strength * sum of the singular values, a float64 scalar."""
        values: Tensor = torch.linalg.svdvals(_matrix(point).double())
        return self.strength * values.sum()

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Soft-threshold the singular values at ``step * strength``. Cost: one thin singular value decomposition."""
        left, values, right = torch.linalg.svd(_matrix(point), full_matrices=False)
        kept = (values - positive_step(step) * self.strength).clamp_min(0.0)
        result: Tensor = (left * kept) @ right
        return result

    def conjugate(self, point: Tensor) -> Tensor:
        """Return 0 where the largest singular value is at most the strength, else infinity."""
        return indicator(point, self.gauge(point) <= 1.0)

    def gauge(self, point: Tensor) -> float:
        """Return the largest singular value over the strength."""
        largest = float(torch.linalg.svdvals(_matrix(point).double()).max()) if point.numel() else 0.0
        if largest == 0.0:
            return 0.0
        return largest / self.strength if self.strength else float("inf")


def _matrix(point: Tensor) -> Tensor:
    if point.ndim != 2:
        raise InputError(f"Nuclear was given the shape {tuple(point.shape)}; expected a matrix")
    return point
