"""The sum of the Euclidean norms of groups whose entries may not be negative."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gradus.penalties.checks import ROUNDING, indicator, largest, positive_step, strength_checked
from gradus.penalties.grouping import EachRow, largest_ratio, shrunk_by_groups

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.penalties.grouping import Partition


@dataclass(frozen=True)
class NonnegativeGroupLasso:
    """The penalty h(x) = strength * sum_g w_g |x_g| where all entries are >= 0, else infinity.

    Cost of each method: O(n).

    Parameters
    ----------
    strength : not negative
    groups : which indices of the first axis belong together, and the weights w; each row of a matrix if not given

    Raises
    ------
    InputError : if ``strength`` is negative or not finite; at a call, if the point does not fit the groups

    References
    ----------
    Parikh & Boyd 2014, Proximal Algorithms, section 6.5.4; the prox of a norm on a cone, Bauschke, Bui & Wang 2018,
    Projecting onto the intersection of a cone and a sphere, section 3

    Examples
    --------
    >>> import torch
    >>> NonnegativeGroupLasso(1.0).value(torch.tensor([[3.0, 4.0], [0.0, 0.5]])).item()
    5.5
    >>> NonnegativeGroupLasso(1.0).prox(torch.tensor([[3.0, -4.0], [0.0, 0.5]]), step=1.0)
    tensor([[2., 0.],
            [0., 0.]])
    """

    strength: float
    groups: Partition = field(default_factory=EachRow)

    def __post_init__(self) -> None:
        strength_checked("NonnegativeGroupLasso", self.strength)

    def value(self, point: Tensor) -> Tensor:
        """Return strength * sum_g w_g |x_g|, a float64 scalar; infinity where an entry is negative."""
        norms = (self.groups.weights_for(point) * self.groups.norms(point)).sum()
        return self.strength * norms + indicator(point, largest(-point) <= ROUNDING * largest(point.abs()))

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Set what is negative to 0, then scale each group by max(1 - step * strength * w_g / |x_g|, 0)."""
        return shrunk_by_groups(point.clamp_min(0.0), self.groups, positive_step(step) * self.strength)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return 0 where |max(v, 0)_g| <= strength * w_g for all g, else infinity."""
        return indicator(point, self.gauge(point) <= 1.0)

    def gauge(self, point: Tensor) -> float:
        """Return max_g |max(v, 0)_g| / (strength * w_g)."""
        norms = self.groups.norms(point.clamp_min(0.0))
        return largest_ratio(norms, self.strength * self.groups.weights_for(point))
