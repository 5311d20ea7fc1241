"""Absolute values and norms of groups together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gradus.penalties.checks import indicator, positive_step, strength_checked
from gradus.penalties.grouping import EachRow, largest_ratio, shrunk_by_groups
from gradus.penalties.l1 import L1
from gradus.penalties.soft_threshold import soft_threshold

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.penalties.grouping import Partition

HALVINGS = 60


@dataclass(frozen=True)
class SparseGroupLasso:
    """The penalty h(x) = l1 * sum_i |x_i| + l2 * sum_g w_g |x_g|: few groups, and few entries in each.

    Cost of the prox: O(n); of the conjugate and the gauge 60 passes.

    Parameters
    ----------
    l1 : strength of the absolute values, not negative
    l2 : strength of the norms, not negative
    groups : which indices of the first axis belong together, and the weights w; each row of a matrix if not given

    Raises
    ------
    InputError : if a strength is negative or not finite; at a call, if the point does not fit the groups

    References
    ----------
    Simon, Friedman, Hastie & Tibshirani 2013, A sparse-group lasso, section 3; the dual norm: Ndiaye, Fercoq, Gramfort
    & Salmon 2016, GAP safe screening rules for sparse-group lasso, proposition 4

    Examples
    --------
    >>> import torch
    >>> SparseGroupLasso(1.0, 1.0).value(torch.tensor([[3.0, 4.0], [0.0, 0.5]])).item()
    13.0
    >>> SparseGroupLasso(1.0, 1.0).prox(torch.tensor([[4.0, 5.0], [0.0, 1.5]]), step=1.0)
    tensor([[2.4000, 3.2000],
            [0.0000, 0.0000]])
    """

    l1: float
    l2: float
    groups: Partition = field(default_factory=EachRow)

    def __post_init__(self) -> None:
        strength_checked("SparseGroupLasso's l1", self.l1)
        strength_checked("SparseGroupLasso's l2", self.l2)

    def value(self, point: Tensor) -> Tensor:
        """Return l1 * sum_i |x_i| + l2 * sum_g w_g |x_g|, a float64 scalar."""
        norms = (self.groups.weights_for(point) * self.groups.norms(point)).sum()
        return self.l1 * point.double().abs().sum() + self.l2 * norms

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Soft-threshold at ``step * l1``, then scale each group by max(1 - step * l2 * w_g / |x_g|, 0)."""
        return shrunk_by_groups(soft_threshold(point, positive_step(step) * self.l1), self.groups, step * self.l2)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return 0 where |ST(v_g, l1)| <= l2 * w_g for all g, ST soft-thresholding, else infinity."""
        left = self.groups.norms(soft_threshold(point.double(), self.l1))
        return indicator(point, bool((left <= self.l2 * self.groups.weights_for(point)).all()))

    def gauge(self, point: Tensor) -> float:
        """Return the least s with |ST(v_g, s l1)| <= s l2 w_g for all g; its halving ends just above."""
        limits = self.l2 * self.groups.weights_for(point)
        high = min(L1(self.l1).gauge(point), largest_ratio(self.groups.norms(point), limits))
        if self.l1 == 0.0 or self.l2 == 0.0 or high == 0.0:
            return high
        wide, low = point.double() / high, 0.0
        top = 1.0
        for _ in range(HALVINGS):
            middle = 0.5 * (low + top)
            left = self.groups.norms(soft_threshold(wide, middle * self.l1))
            inside = bool((left <= middle * limits).all())
            low, top = (low, middle) if inside else (middle, top)
        return high * top
