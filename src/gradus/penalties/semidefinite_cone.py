"""Symmetric matrices without negative eigenvalues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.penalties.checks import ROUNDING, indicator, largest, positive_step

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class SemidefiniteCone:
    """The penalty h(X) = 0 where X is symmetric and positive semidefinite, else infinity.

    It has no ``conjugate`` here: that is the indicator of a cone too, and no use to a duality gap.
    Cost of each method: the eigenvalues, O(n^3).

    Raises
    ------
    InputError : at a call, if the point is not a square matrix

    References
    ----------
    Parikh & Boyd 2014, Proximal Algorithms, section 6.3.3; Higham 1988, Computing a nearest symmetric positive
    semidefinite matrix, theorem 2.1

    Examples
    --------
    >>> SemidefiniteCone().prox(torch.tensor([[2.0, 1.0], [-1.0, -3.0]]), step=1.0)
    tensor([[2.0000, 0.0000],
            [0.0000, 0.0000]])
    """

    def value(self, point: Tensor) -> Tensor:
        """Return 0 in the cone and within rounding errors of it, else infinity."""
        wide = _square(point).double()
        room = ROUNDING * max(largest(wide.abs()), 0.0) * len(wide)
        symmetric = largest((wide - wide.T).abs()) <= room
        return indicator(point, symmetric and largest(-torch.linalg.eigvalsh(0.5 * (wide + wide.T))) <= room)

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return the symmetric part with its negative eigenvalues set to 0."""
        positive_step(step)
        values, vectors = torch.linalg.eigh(0.5 * (_square(point) + point.T))
        factor = vectors * values.clamp_min(0.0).sqrt()
        result: Tensor = factor @ factor.T
        return result


def _square(point: Tensor) -> Tensor:
    if point.ndim != 2 or point.shape[0] != point.shape[1]:
        raise InputError(f"SemidefiniteCone was given the shape {tuple(point.shape)}; expected a square matrix")
    return point
