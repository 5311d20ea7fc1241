"""The sum of the rows' Euclidean norms with a weight for each entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.penalties.checks import indicator, largest, matrix_checked, positive_step, ratio, strength_checked
from gradus.penalties.diagonal_metric import norm_prox_in_metric
from gradus.penalties.grouping import EachRow

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class WeightedGroupLasso:
    """The penalty h(X) = strength * sum_i (sum_j w_ij X_ij^2)^(1/2) over the rows of a matrix.

    Of the weights (features, classes) of a softmax regression, w may make rare classes cheaper, or features of larger
    units dearer. Cost of the prox: about six passes, O(n) each.

    Parameters
    ----------
    strength : not negative
    weights : w, positive, of a shape that broadcasts to the point's

    Raises
    ------
    InputError : if ``strength`` is negative or not finite, or a weight not positive; at a call, if the point is not a
        matrix

    References
    ----------
    Yuan & Lin 2006, Model selection and estimation in regression with grouped variables, equation 2.1 with diagonal
    kernels; ``norm_prox_in_metric`` has the equation of the prox

    Examples
    --------
    >>> import torch
    >>> penalty = WeightedGroupLasso(1.0, torch.tensor([1.0, 4.0]))
    >>> penalty.value(torch.tensor([[3.0, 2.0]])).item()
    5.0
    >>> penalty.prox(torch.tensor([[3.0, 2.0]]), step=1.0)
    tensor([[2.1958, 0.8113]])
    """

    strength: float
    weights: Tensor

    def __post_init__(self) -> None:
        strength_checked("WeightedGroupLasso", self.strength)
        if not bool(((self.weights > 0) & self.weights.isfinite()).all()):
            raise InputError("WeightedGroupLasso has a weight that is not positive and finite")

    def value(self, point: Tensor) -> Tensor:
        """Return strength * sum_i (sum_j w_ij X_ij^2)^(1/2), a float64 scalar."""
        return self.strength * EachRow().norms(point.double() * self._roots(point)).sum()

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return the minimiser in Z = sqrt(w) X, whose norm is plain and whose distances have the metric 1 / (t w)."""
        return self.prox_in_metric(point, torch.tensor(1.0 / positive_step(step), dtype=torch.float64))

    def prox_in_metric(self, point: Tensor, metric: Tensor) -> Tensor:
        """Return the minimiser in Z = sqrt(w) X, whose norm is plain and whose distances have the metric d / w."""
        roots = self._roots(point)
        scaled = metric.double() / roots.square()
        return (norm_prox_in_metric(point.double() * roots, scaled, self.strength) / roots).to(point.dtype)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return 0 where sum_j V_ij^2 / w_ij <= strength^2 for all rows, else infinity."""
        return indicator(point, self.gauge(point) <= 1.0)

    def gauge(self, point: Tensor) -> float:
        """Return max_i (sum_j V_ij^2 / w_ij)^(1/2) / strength, the dual norm over the strength."""
        return ratio(largest(EachRow().norms(point.double() / self._roots(point))), self.strength)

    def _roots(self, point: Tensor) -> Tensor:
        matrix_checked("WeightedGroupLasso", point)
        return self.weights.to(point.device).double().sqrt()
