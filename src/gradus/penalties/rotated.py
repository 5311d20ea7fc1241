"""A penalty in another orthonormal basis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.core.protocols import Conjugable

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Proximable


def rotated(inner: Proximable, basis: Tensor) -> Proximable:
    """Return the penalty h(X) = inner(Q X) for an orthogonal Q; it has a conjugate where ``inner`` has one.

    Absolute values of a cosine or wavelet transform of the features, for example. Cost: two products with Q.

    Parameters
    ----------
    inner : any penalty
    basis : Q, (n, n) for points whose first axis has n entries, Q' Q = I but for rounding errors

    Raises
    ------
    InputError : if ``basis`` is not orthogonal

    References
    ----------
    Parikh & Boyd 2014, Proximal Algorithms, section 2.2

    Examples
    --------
    >>> from gradus.penalties import L1
    >>> swap = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    >>> rotated(L1(1.0), swap).prox(torch.tensor([3.0, -0.5]), step=1.0).tolist()
    [2.0, 0.0]
    """
    checked = _orthogonal(basis)
    return ConvexRotated(inner, checked) if isinstance(inner, Conjugable) else Rotated(inner, checked)


@dataclass(frozen=True, eq=False)
class Rotated:
    """Any penalty in another basis; see ``rotated``."""

    inner: Proximable
    basis: Tensor

    def value(self, point: Tensor) -> Tensor:
        """Return inner(Q X), a float64 scalar."""
        return self.inner.value(self.basis.to(point.device).double() @ point.double())

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return Q' times the inner prox of Q V."""
        basis = self.basis.to(point)
        return basis.T @ self.inner.prox(basis @ point, step)


@dataclass(frozen=True, eq=False)
class ConvexRotated:
    """A penalty with a conjugate in another basis; see ``rotated``."""

    inner: Conjugable
    basis: Tensor

    def value(self, point: Tensor) -> Tensor:
        """Return inner(Q X), a float64 scalar."""
        return Rotated(self.inner, self.basis).value(point)

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return Q' times the inner prox of Q V."""
        return Rotated(self.inner, self.basis).prox(point, step)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return inner*(Q V)."""
        return self.inner.conjugate(self._turned(point))

    def gauge(self, point: Tensor) -> float:
        """Return the inner gauge of Q V."""
        return self.inner.gauge(self._turned(point))

    def _turned(self, point: Tensor) -> Tensor:
        return self.basis.to(point.device).double() @ point.double()


def _orthogonal(basis: Tensor) -> Tensor:
    square = basis.ndim == 2 and basis.shape[0] == basis.shape[1]
    if not square:
        raise InputError(f"basis has the shape {tuple(basis.shape)}; expected a square matrix")
    room = 10.0 * torch.finfo(basis.dtype).eps * len(basis)
    error = (basis.T @ basis - torch.eye(len(basis), dtype=basis.dtype, device=basis.device)).abs()
    if not bool((error <= room).all()):
        raise InputError(
            f"basis is not orthogonal: an entry of Q' Q is {error.max().item():.1e} off; orthonormalise it"
        )
    return basis
