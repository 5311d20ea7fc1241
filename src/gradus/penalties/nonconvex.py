"""What a penalty that is not convex also says: from where to look for a good local minimum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from gradus.core.errors import InputError
from gradus.core.protocols import Proximable

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class Nonconvex(Protocol):
    """A proximable function that is not convex: what is reached depends on where the descent starts.

    Its ``prox`` is a global minimiser of h(u) + |u - v|^2 / 2t, one of them where there are several.
    """

    def value(self, point: Tensor) -> Tensor:
        """Return h(point), a float64 scalar."""

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return an argmin_u h(u) + |u - point|^2 / (2 step)."""

    def relaxation(self) -> Proximable:
        """Return the convex penalty of the same strength whose minimiser is a good place to start."""


def convex_checked(what: str, penalty: Proximable) -> None:
    """Raise InputError where ``penalty`` is no penalty, or one that is not convex."""
    if isinstance(penalty, type) or not isinstance(penalty, Proximable):
        raise InputError(f"{what} is {penalty!r}; expected a penalty, an object with value and prox")
    if isinstance(penalty, Nonconvex):
        raise InputError(f"{what} is {penalty!r}, which is not convex; expected a convex penalty")
