"""The solutions of linear equations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.penalties.checks import ROUNDING, indicator, positive_step

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class AffineSet:
    """The penalty h(X) = 0 where A X = B, else infinity.

    It has no ``conjugate`` here: that is finite on the row space of A only, and no use to a duality gap.
    Cost: a decomposition of A once, O(m^2 n), then two products with m x n matrices.

    Parameters
    ----------
    matrix : A, (m, n) for points whose first axis has n entries
    target : B, (m,) or (m, k) as the point is (n,) or (n, k); the equations must have a solution

    Raises
    ------
    InputError : if the shapes do not fit or the equations have no solution

    References
    ----------
    Parikh & Boyd 2014, Proximal Algorithms, section 6.2.2

    Examples
    --------
    >>> AffineSet(torch.tensor([[1.0, 1.0]]), torch.tensor([1.0])).prox(torch.tensor([3.0, 0.0]), step=1.0)
    tensor([ 2., -1.])
    """

    matrix: Tensor
    target: Tensor

    def __post_init__(self) -> None:
        if self.matrix.ndim != 2 or self.target.ndim not in (1, 2) or self.matrix.shape[0] != self.target.shape[0]:
            raise InputError(
                f"AffineSet's matrix is {tuple(self.matrix.shape)} and target {tuple(self.target.shape)}; expected "
                "(m, n), and (m,) or (m, k)"
            )
        if not self._holds(self._inverse @ self.target.double()):
            raise InputError("AffineSet's equations have no solution: give a target in the range of the matrix")

    def value(self, point: Tensor) -> Tensor:
        """Return 0 where the equations hold but for rounding errors, else infinity."""
        return indicator(point, self._holds(self._checked(point).double()))

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return V - A^+ (A V - B), with the pseudo-inverse A^+."""
        positive_step(step)
        wide = self._checked(point).double()
        error = self.matrix.to(wide) @ wide - self.target.to(wide)
        return (wide - self._inverse.to(wide) @ error).to(point.dtype)

    @cached_property
    def _inverse(self) -> Tensor:
        inverse: Tensor = torch.linalg.pinv(self.matrix.double())
        return inverse

    def _holds(self, point: Tensor) -> bool:
        matrix, target = self.matrix.to(point), self.target.to(point)
        size = torch.linalg.norm(matrix) * torch.linalg.norm(point) + torch.linalg.norm(target)
        return bool(torch.linalg.norm(matrix @ point - target) <= ROUNDING * size)

    def _checked(self, point: Tensor) -> Tensor:
        expected = (self.matrix.shape[1], *self.target.shape[1:])
        if tuple(point.shape) != expected:
            raise InputError(f"AffineSet was given the shape {tuple(point.shape)}; expected {expected}")
        return point
