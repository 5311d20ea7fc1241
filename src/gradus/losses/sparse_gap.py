"""The duality gap where features are many, weights are mostly 0, and most slopes cannot matter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

import torch

from gradus.core.free_memory import give_back
from gradus.losses.certificate import Gap, highest, largest_scale
from gradus.losses.column_model import ColumnModel, Loss

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Thresholding
    from gradus.losses.column_access import ColumnAccess
    from gradus.losses.linear_model import LinearModel


@dataclass(frozen=True)
class SparseGap(Generic[Loss]):
    """The number of ``DualityGap``, at the cost of the weights that are not 0.

    No residual is above 1, so that the slopes of feature j are at most beta sum_i w_i |x_ij|: where that is below the
    penalty's threshold they add nothing to its conjugate, and are left out.

    Cost: two passes over the entries of X, and as many numbers as there are samples times classes.

    Parameters
    ----------
    model : around 0, not centred
    features : those of the model, by columns
    penalty : of the weights alone
    """

    model: LinearModel[Loss]
    features: ColumnAccess
    penalty: Thresholding

    def __call__(self, point: Tensor) -> float:
        """Return the relative gap at ``point``."""
        return self.measure(point).relative

    def measure(self, point: Tensor) -> Gap:
        """Return the primal and the dual value at ``point``, in float64."""
        smooth = ColumnModel(self.model, self.features)
        weights = point[: self.features.shape[1]]
        used = torch.linalg.vector_norm(weights, ord=math.inf, dim=1).nonzero()[:, 0]
        held = weights[used].double()
        value, residual = smooth.value_and_residual(self._logits(held, used, point))
        give_back()
        slopes = smooth.slopes(residual, self._features())
        give_back()

        def dual(scales: list[float]) -> list[float]:
            return [
                smooth.dual_value(residual, scale) - self.penalty.conjugate(-scale * slopes).item() for scale in scales
            ]

        return Gap(value + self.penalty.value(held).item(), highest(dual, largest_scale(self.penalty, slopes)))

    def _features(self) -> Tensor:
        """Return the features whose slopes may matter: no slope that is left out does."""
        # of a model of its own, with which what it keeps goes
        sums = ColumnModel(self.model, self.features).column_sums()
        return (sums[:, 0] > (1.0 - 1e-9) * self.penalty.threshold).nonzero()[:, 0]

    def _logits(self, held: Tensor, used: Tensor, point: Tensor) -> Tensor:
        logits = self.features.times_rows(held, used).mul_(self.model.scale)
        return logits.add_(point[-1]) if self.model.intercept else logits
