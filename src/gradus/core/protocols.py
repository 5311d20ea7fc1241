"""What everything that is minimised is made of: a smooth function and a proximable one, and a solver for their sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class Smooth(Protocol):
    """A differentiable function whose data was bound when it was made."""

    def value_and_gradient(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return the value (a scalar) and the gradient (the shape of ``point``)."""


class TwiceSmooth(Smooth, Protocol):
    """A smooth function that can also multiply by its Hessian."""

    def curvature(self, point: Tensor) -> Callable[[Tensor], Tensor]:
        """Return the map v -> Hessian(point) v, with the work that does not depend on v done once."""


class Proximable(Protocol):
    """A function whose proximal operator is known in closed form."""

    def value(self, point: Tensor) -> Tensor:
        """Return h(point), a scalar; ``inf`` outside the domain."""

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return argmin_u h(u) + |u - point|^2 / (2 step)."""


State = TypeVar("State")
