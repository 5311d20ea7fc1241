"""One side of a plane."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.core.errors import InputError
from gradus.penalties.checks import ROUNDING, indicator, positive_step

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class HalfSpace:
    """The penalty h(x) = 0 where <normal, x> <= offset, else infinity.

    It has no ``conjugate`` here: that is finite on one ray only, and no use to a duality gap. Cost: O(n).

    Parameters
    ----------
    normal : of the point's shape, not 0
    offset : finite

    Raises
    ------
    InputError : if ``normal`` is 0 or a number is not finite; at a call, if the point has another shape

    References
    ----------
    Parikh & Boyd 2014, Proximal Algorithms, section 6.2.2

    Examples
    --------
    >>> import torch
    >>> HalfSpace(torch.tensor([1.0, 1.0]), offset=1.0).prox(torch.tensor([3.0, 0.0]), step=1.0)
    tensor([ 2., -1.])
    """

    normal: Tensor
    offset: float = 0.0

    def __post_init__(self) -> None:
        square = self.normal.double().square().sum().item()
        if not (0 < square < math.inf and math.isfinite(self.offset)):
            raise InputError(
                f"HalfSpace's normal has the squared norm {square} and offset is {self.offset}; expected "
                "a normal that is not 0, and finite numbers"
            )

    def value(self, point: Tensor) -> Tensor:
        """Return 0 in the half-space and within rounding errors of it, else infinity."""
        normal = self._normal(point)
        size = (normal.square().sum() * point.double().square().sum()).sqrt().item()
        return indicator(point, self._excess(point) <= ROUNDING * (size + abs(self.offset)))

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return v - max(<a, v> - b, 0) / |a|^2 a."""
        positive_step(step)
        normal = self._normal(point)
        excess = max(self._excess(point), 0.0)
        return (point.double() - excess / normal.square().sum() * normal).to(point.dtype)

    def _excess(self, point: Tensor) -> float:
        return (self._normal(point) * point.double()).sum().item() - self.offset

    def _normal(self, point: Tensor) -> Tensor:
        if self.normal.shape != point.shape:
            raise InputError(
                f"HalfSpace was given the shape {tuple(point.shape)} and its normal has {tuple(self.normal.shape)}: "
                "give both one shape"
            )
        return self.normal.to(device=point.device).double()
