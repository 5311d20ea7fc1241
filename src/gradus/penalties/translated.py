"""A penalty on the difference from a given point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.core.protocols import Conjugable

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Proximable


def translated(inner: Proximable, centre: Tensor) -> Proximable:
    """Return the penalty h(x) = inner(x - centre); it has a conjugate where ``inner`` has one.

    Parameters
    ----------
    inner : any penalty
    centre : of a shape that broadcasts to the point's

    References
    ----------
    Parikh & Boyd 2014, Proximal Algorithms, section 2.2

    Examples
    --------
    >>> import torch
    >>> from gradus.penalties import L1
    >>> translated(L1(1.0), torch.tensor([2.0, 0.0])).prox(torch.tensor([2.5, 3.0]), step=1.0)
    tensor([2., 2.])
    """
    return ConvexTranslated(inner, centre) if isinstance(inner, Conjugable) else Translated(inner, centre)


@dataclass(frozen=True, eq=False)
class Translated:
    """Any penalty around another point than 0; see ``translated``."""

    inner: Proximable
    centre: Tensor

    def value(self, point: Tensor) -> Tensor:
        """Return inner(x - centre), a float64 scalar."""
        return self.inner.value(point.double() - self.centre.to(point.device))

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return centre + the inner prox of v - centre."""
        centre = self.centre.to(point)
        return centre + self.inner.prox(point - centre, step)


@dataclass(frozen=True, eq=False)
class ConvexTranslated:
    """A penalty with a conjugate around another point than 0; see ``translated``."""

    inner: Conjugable
    centre: Tensor

    def value(self, point: Tensor) -> Tensor:
        """Return inner(x - centre), a float64 scalar."""
        return Translated(self.inner, self.centre).value(point)

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return centre + the inner prox of v - centre."""
        return Translated(self.inner, self.centre).prox(point, step)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return inner*(v) + <v, centre>."""
        return self.inner.conjugate(point) + (point.double() * self.centre.to(point.device)).sum()

    def gauge(self, point: Tensor) -> float:
        """Return the inner gauge."""
        return self.inner.gauge(point)
