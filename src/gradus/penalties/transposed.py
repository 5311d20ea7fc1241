"""A penalty on the transpose of a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.core.protocols import Conjugable
from gradus.penalties.checks import matrix_checked

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Proximable


def transposed(inner: Proximable) -> Proximable:
    """Return the penalty h(X) = inner(X'); it has a conjugate where ``inner`` has one.

    Raises
    ------
    InputError : at a call, if the point is not a matrix

    Examples
    --------
    >>> import torch
    >>> from gradus.penalties import GroupLasso
    >>> transposed(GroupLasso(1.0)).prox(torch.tensor([[3.0, 0.0], [4.0, 0.5]]), step=1.0)
    tensor([[2.4000, 0.0000],
            [3.2000, 0.0000]])
    """
    return ConvexTransposed(inner) if isinstance(inner, Conjugable) else Transposed(inner)


@dataclass(frozen=True)
class Transposed:
    """Any penalty on the transpose; see ``transposed``."""

    inner: Proximable

    def value(self, point: Tensor) -> Tensor:
        """Return inner(X'), a float64 scalar."""
        return self.inner.value(matrix_checked("a transposed penalty", point).T)

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return the transpose of the inner prox of V'."""
        return self.inner.prox(matrix_checked("a transposed penalty", point).T, step).T.contiguous()


@dataclass(frozen=True)
class ConvexTransposed:
    """A penalty with a conjugate on the transpose; see ``transposed``."""

    inner: Conjugable

    def value(self, point: Tensor) -> Tensor:
        """Return inner(X'), a float64 scalar."""
        return Transposed(self.inner).value(point)

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return the transpose of the inner prox of V'."""
        return Transposed(self.inner).prox(point, step)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return inner*(V')."""
        return self.inner.conjugate(point.T)

    def gauge(self, point: Tensor) -> float:
        """Return the inner gauge of V'."""
        return self.inner.gauge(point.T)
