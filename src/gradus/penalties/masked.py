"""A penalty on some rows of a matrix, such as all but the intercept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Proximable


@dataclass(frozen=True)
class Masked:
    """The penalty h(x) = inner(first ``rows`` rows of x); the rows below are free.

    Parameters
    ----------
    inner : the penalty on the rows above
    rows : how many rows are penalised, not negative

    Examples
    --------
    >>> from gradus.penalties import L1
    >>> Masked(L1(1.0), rows=1).prox(torch.tensor([[3.0], [3.0]]), step=1.0).tolist()
    [[2.0], [3.0]]
    """

    inner: Proximable
    rows: int

    def value(self, point: Tensor) -> Tensor:
        """Return the inner penalty of the rows above, a float64 scalar."""
        return self.inner.value(point[: self.rows])

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Apply the inner prox to the rows above and copy the rest."""
        return torch.cat([self.inner.prox(point[: self.rows], step), point[self.rows :]])
