"""The sum of the Euclidean norms of groups of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.penalties.checks import indicator, positive_step, strength_checked
from gradus.penalties.grouping import largest_ratio, shrunk_by_groups

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.penalties.grouping import Partition


@dataclass(frozen=True)
class IndexGroupLasso:
    """The penalty h(x) = strength * sum_g w_g |x_g| over groups of indices of the first axis, which drops whole groups.

    ``GroupLasso`` is the case of one row in each group. Cost of each method: O(n).

    Parameters
    ----------
    strength : not negative
    groups : which indices belong together, and the weights w; see ``Groups``

    Raises
    ------
    InputError : if ``strength`` is negative or not finite; at a call, if the point does not fit the groups

    References
    ----------
    Yuan & Lin 2006, Model selection and estimation in regression with grouped variables, equation 2.1

    Examples
    --------
    >>> import torch
    >>> from gradus.penalties import Groups
    >>> penalty = IndexGroupLasso(1.0, Groups([[0, 2], [1]], weights=[1.0, 1.0]))
    >>> penalty.value(torch.tensor([3.0, 0.5, 4.0])).item()
    5.5
    >>> penalty.prox(torch.tensor([3.0, 0.5, 4.0]), step=1.0)
    tensor([2.4000, 0.0000, 3.2000])
    """

    strength: float
    groups: Partition

    def __post_init__(self) -> None:
        strength_checked("IndexGroupLasso", self.strength)

    def value(self, point: Tensor) -> Tensor:
        """Return strength * sum_g w_g |x_g|, a float64 scalar."""
        return self.strength * (self.groups.weights_for(point) * self.groups.norms(point)).sum()

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Scale each group by max(1 - step * strength * w_g / |x_g|, 0)."""
        return shrunk_by_groups(point, self.groups, positive_step(step) * self.strength)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return 0 where |v_g| <= strength * w_g for all g, else infinity."""
        return indicator(point, self.gauge(point) <= 1.0)

    def gauge(self, point: Tensor) -> float:
        """Return max_g |v_g| / (strength * w_g), the dual norm over the strength."""
        return largest_ratio(self.groups.norms(point), self.strength * self.groups.weights_for(point))
