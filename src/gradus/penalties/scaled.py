"""A multiple of a penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.core.protocols import Conjugable
from gradus.penalties.checks import positive_checked, positive_step

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Proximable


def scaled(inner: Proximable, factor: float) -> Proximable:
    """Return the penalty h(x) = factor * inner(x); it has a conjugate where ``inner`` has one.

    Parameters
    ----------
    inner : any penalty
    factor : positive

    Raises
    ------
    InputError : if ``factor`` is not positive or not finite

    References
    ----------
    Parikh & Boyd 2014, Proximal Algorithms, section 2.2

    Examples
    --------
    >>> import torch
    >>> from gradus.penalties import LInf
    >>> scaled(LInf(1.0), 2.0).value(torch.tensor([3.0, -0.5])).item()
    6.0
    """
    return ConvexScaled(inner, factor) if isinstance(inner, Conjugable) else Scaled(inner, factor)


@dataclass(frozen=True)
class Scaled:
    """A multiple of any penalty; see ``scaled``."""

    inner: Proximable
    factor: float

    def __post_init__(self) -> None:
        positive_checked("the factor of a penalty", self.factor)

    def value(self, point: Tensor) -> Tensor:
        """Return factor * inner(x), a float64 scalar."""
        return self.factor * self.inner.value(point)

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return the inner prox with the step factor * step."""
        return self.inner.prox(point, positive_step(step) * self.factor)


@dataclass(frozen=True)
class ConvexScaled:
    """A multiple of a penalty with a conjugate; see ``scaled``."""

    inner: Conjugable
    factor: float

    def __post_init__(self) -> None:
        positive_checked("the factor of a penalty", self.factor)

    def value(self, point: Tensor) -> Tensor:
        """Return factor * inner(x), a float64 scalar."""
        return Scaled(self.inner, self.factor).value(point)

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return the inner prox with the step factor * step."""
        return Scaled(self.inner, self.factor).prox(point, step)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return factor * inner*(v / factor)."""
        return self.factor * self.inner.conjugate(point / self.factor)

    def gauge(self, point: Tensor) -> float:
        """Return the inner gauge over the factor."""
        return self.inner.gauge(point) / self.factor
