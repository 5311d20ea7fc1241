"""A smooth penalty on some rows of a matrix: ``Masked`` with a gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.penalties.masked import Masked

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.core.protocols import Differentiable


@dataclass(frozen=True)
class SmoothMasked:
    """The penalty h(x) = inner(first ``rows`` rows of x) for a differentiable inner penalty.

    Parameters
    ----------
    inner : the penalty on the rows above
    rows : how many rows are penalised, not negative

    Examples
    --------
    >>> from gradus.penalties import L2
    >>> SmoothMasked(L2(1.0), rows=1).value_and_gradient(torch.tensor([[3.0], [3.0]]))[1].tolist()
    [[3.0], [0.0]]
    """

    inner: Differentiable
    rows: int

    def value(self, point: Tensor) -> Tensor:
        """Return the inner penalty of the rows above, a float64 scalar."""
        return self.inner.value(point[: self.rows])

    def value_and_gradient(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return the value, and the inner gradient above zeros."""
        value, gradient = self.inner.value_and_gradient(point[: self.rows])
        return value, torch.cat([gradient, torch.zeros_like(point[self.rows :])])

    def curvature(self, point: Tensor) -> Callable[[Tensor], Tensor]:
        """Return the inner product above zeros."""
        product = self.inner.curvature(point[: self.rows])
        return lambda v: torch.cat([product(v[: self.rows]), torch.zeros_like(v[self.rows :])])

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Apply the inner prox to the rows above and copy the rest."""
        return Masked(self.inner, self.rows).prox(point, step)
