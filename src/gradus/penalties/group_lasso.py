"""The sum of the rows' Euclidean norms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.penalties.checks import indicator, matrix_checked, positive_step, strength_checked
from gradus.penalties.diagonal_metric import norm_prox_in_metric

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class GroupLasso:
    """The penalty h(X) = strength * sum_i |X_i| over the rows of a matrix, which makes whole rows zero.

    Of the weights (features, classes) of a softmax regression a row is a feature: it is used by all classes or by none.

    Parameters
    ----------
    strength : not negative

    Raises
    ------
    InputError : if ``strength`` is negative or not finite; at a call, if the point is not a matrix

    References
    ----------
    Yuan & Lin 2006; Parikh & Boyd 2014, Proximal Algorithms, section 6.5.4

    Examples
    --------
    >>> GroupLasso(1.0).value(torch.tensor([[3.0, 4.0], [0.0, 0.5]])).item()
    5.5
    >>> GroupLasso(1.0).prox(torch.tensor([[3.0, 4.0], [0.0, 0.5]]), step=1.0)
    tensor([[2.4000, 3.2000],
            [0.0000, 0.0000]])
    """

    strength: float

    def __post_init__(self) -> None:
        strength_checked("GroupLasso", self.strength)

    def value(self, point: Tensor) -> Tensor:
        """Return strength * sum_i |X_i|, a float64 scalar."""
        return self.strength * _row_norms(point.double()).sum()

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Scale each row by max(1 - step * strength / |X_i|, 0)."""
        norms = _row_norms(point)
        threshold = positive_step(step) * self.strength
        # where the norm is 0 the row is 0 whatever it is scaled by
        scale = (1.0 - threshold / norms.clamp_min(torch.finfo(point.dtype).tiny)).clamp_min(0.0)
        return point * scale

    def prox_in_metric(self, point: Tensor, metric: Tensor) -> Tensor:
        """Return ``norm_prox_in_metric`` of the rows."""
        return norm_prox_in_metric(matrix_checked("GroupLasso", point), metric, self.strength)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return 0 where max_i |V_i| <= strength, else infinity."""
        return indicator(point, self.gauge(point) <= 1.0)

    def gauge(self, point: Tensor) -> float:
        """Return max_i |V_i| / strength, the dual norm over the strength."""
        largest = float(_row_norms(point.double()).max()) if point.numel() else 0.0
        if largest == 0.0:
            return 0.0
        return largest / self.strength if self.strength else float("inf")


def _row_norms(point: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(matrix_checked("GroupLasso", point), dim=1, keepdim=True)
    return norms
