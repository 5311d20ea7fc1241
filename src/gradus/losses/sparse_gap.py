"""The duality gap where features are many, weights are mostly 0, and most slopes cannot matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.losses.certificate import Gap, highest, largest_scale

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Thresholding
    from gradus.losses.column_access import ColumnAccess
    from gradus.losses.cross_entropy import CrossEntropy
    from gradus.losses.linear_model import LinearModel


@dataclass(frozen=True)
class SparseGap:
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

    model: LinearModel[CrossEntropy]
    features: ColumnAccess
    penalty: Thresholding

    def __call__(self, point: Tensor) -> float:
        """Return the relative gap at ``point``."""
        return self.measure(point).relative

    def measure(self, point: Tensor) -> Gap:
        """Return the primal and the dual value at ``point``, in float64."""
        model, shares = self.model, self.model.weights.double()
        weights = point[: model.features.shape[1]]
        used = weights.any(dim=1).nonzero()[:, 0]
        held = weights[used].double()
        logits = model.scale * self.features.times_rows(held, used)
        if model.intercept:
            logits += point[-1].double()
        loss, ones = model.loss.to(torch.float64), torch.ones_like(shares)
        value = loss.value_and_residual(logits, shares)[0]
        residual = loss.value_and_residual(logits, ones)[1]
        if model.intercept:
            residual = loss.balanced(residual, shares)
        slopes = self._steep(residual * shares[:, None])

        def dual(scales: list[float]) -> list[float]:
            values = [loss.dual_value(scale * residual, shares) for scale in scales]
            return [
                (value - self.penalty.conjugate(-scale * slopes)).item()
                for value, scale in zip(values, scales, strict=True)
            ]

        return Gap((value + self.penalty.value(held)).item(), highest(dual, largest_scale(self.penalty, slopes)))

    def _steep(self, weighted: Tensor) -> Tensor:
        """Return beta X' Omega R of the features where it may be above the threshold."""
        bounds = self.model.scale * self.features.absolute_sums(self.model.weights.double())[:, 0]
        features = (bounds > (1.0 - 1e-9) * self.penalty.threshold).nonzero()[:, 0]
        return self.model.scale * self.features.transposed_rows(weighted, features)
