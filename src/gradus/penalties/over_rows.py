"""The sum of a penalty over the rows, or the columns, of a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.core.protocols import Conjugable
from gradus.penalties.checks import matrix_checked, positive_step
from gradus.penalties.row_wise import RowWise
from gradus.penalties.transposed import transposed

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Proximable


def over_rows(inner: Proximable) -> Proximable:
    """Return the penalty h(X) = sum_i inner(X_i) over the rows; it has a conjugate where ``inner`` has one.

    A penalty that takes many rows at once (``RowWise``) is called once, others row by row.

    Raises
    ------
    InputError : at a call, if the point is not a matrix

    References
    ----------
    Parikh & Boyd 2014, Proximal Algorithms, section 2.1

    Examples
    --------
    >>> from gradus.penalties import Simplex
    >>> over_rows(Simplex()).prox(torch.tensor([[3.0, 0.0], [0.5, 1.5]]), step=1.0)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return ConvexOverRows(inner) if isinstance(inner, Conjugable) else OverRows(inner)


def over_columns(inner: Proximable) -> Proximable:
    """Return the penalty h(X) = sum_k inner(column k of X); of the weights (features, classes) a column is a class.

    Examples
    --------
    >>> from gradus.penalties import Simplex
    >>> over_columns(Simplex()).prox(torch.tensor([[3.0, 0.5], [0.0, 1.5]]), step=1.0)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return transposed(over_rows(inner))


@dataclass(frozen=True)
class OverRows:
    """The sum over the rows of any penalty; see ``over_rows``."""

    inner: Proximable

    def value(self, point: Tensor) -> Tensor:
        """Return sum_i inner(X_i), a float64 scalar."""
        rows = matrix_checked("a penalty over rows", point)
        if isinstance(self.inner, RowWise):
            return self.inner.values_of_rows(rows).sum()
        values = [self.inner.value(row) for row in rows]
        return torch.stack(values).sum() if values else torch.zeros((), dtype=torch.float64, device=point.device)

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return the inner prox of each row."""
        rows = matrix_checked("a penalty over rows", point)
        positive_step(step)
        if isinstance(self.inner, RowWise):
            return self.inner.prox_of_rows(rows, step)
        return torch.stack([self.inner.prox(row, step) for row in rows]) if len(rows) else rows.clone()


@dataclass(frozen=True)
class ConvexOverRows:
    """The sum over the rows of a penalty with a conjugate; see ``over_rows``."""

    inner: Conjugable

    def value(self, point: Tensor) -> Tensor:
        """Return sum_i inner(X_i), a float64 scalar."""
        return OverRows(self.inner).value(point)

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return the inner prox of each row."""
        return OverRows(self.inner).prox(point, step)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return sum_i inner*(V_i)."""
        values = [self.inner.conjugate(row) for row in point]
        return torch.stack(values).sum() if values else torch.zeros((), dtype=torch.float64, device=point.device)

    def gauge(self, point: Tensor) -> float:
        """Return the largest of the rows' gauges."""
        return max((self.inner.gauge(row) for row in point), default=0.0)
