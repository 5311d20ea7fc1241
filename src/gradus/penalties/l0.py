"""The number of entries that are not zero."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.penalties.checks import positive_metric, positive_step, strength_checked
from gradus.penalties.l1 import L1

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class L0:
    """The penalty h(x) = strength * #{i : x_i != 0}; not convex.

    Cost of each method: O(n).

    Parameters
    ----------
    strength : not negative

    Raises
    ------
    InputError : if ``strength`` is negative or not finite

    References
    ----------
    Blumensath & Davies 2008, Iterative thresholding for sparse approximations, equation 2.2

    Examples
    --------
    >>> import torch
    >>> L0(2.0).value(torch.tensor([3.0, 0.0])).item()
    2.0
    >>> L0(2.0).prox(torch.tensor([3.0, -1.5]), step=1.0)
    tensor([3., 0.])
    """

    strength: float

    def __post_init__(self) -> None:
        strength_checked("L0", self.strength)

    def value(self, point: Tensor) -> Tensor:
        """Return strength times the number of entries that are not zero, a float64 scalar."""
        return self.strength * point.count_nonzero().double()

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Keep v_i where v_i^2 > 2 step * strength, else 0 (of the two where equal)."""
        return point.where(point.abs() > math.sqrt(2.0 * positive_step(step) * self.strength), 0.0)

    def prox_in_metric(self, point: Tensor, metric: Tensor) -> Tensor:
        """Keep v_i where metric_i v_i^2 > 2 strength, else 0."""
        return point.where(point.abs() > (2.0 * self.strength / positive_metric(metric)).sqrt(), 0.0)

    def relaxation(self) -> L1:
        """Return the sum of absolute values, of the same strength."""
        return L1(self.strength)
