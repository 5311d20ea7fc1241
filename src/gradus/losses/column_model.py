"""Softmax and logistic regression as log-linear models whose features are had one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

import torch

from gradus.core import unwritten
from gradus.core.errors import InputError
from gradus.losses.sample_loss import LogLinearLoss, SampleLoss

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.columns import SparseColumns
    from gradus.losses.column_access import ColumnAccess
    from gradus.losses.linear_model import LinearModel

Loss = TypeVar("Loss", bound=LogLinearLoss)

# samples whose entropies are computed at a time
PART = 4096


@dataclass(frozen=True)
class ColumnModel(Generic[Loss]):
    """The function of ``LinearModel`` with a log-linear loss, and what a descent on single coordinates asks of it.

    The losses are ``CrossEntropy``, and ``Logistic`` of one output; see ``gradus.core.protocols.LogLinear``. The
    residuals are those of the point itself, made to sum to 0 in every class where there is an intercept; the dual value
    is Shannon's entropy of the labels plus the residuals.

    Parameters
    ----------
    model : around 0, not centred
    features : those of the model, by columns

    Raises
    ------
    InputError : if the loss is another, or the model is centred, which would make sparse features dense
    """

    model: LinearModel[Loss]
    features: ColumnAccess

    def __post_init__(self) -> None:
        if self.model.centre is not None:
            raise InputError(
                "model is centred, and its features are taken as they are stored: give it with centre=None"
            )
        log_linear_checked(self.model.loss)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of a point."""
        return self.model.shape

    @property
    def intercept(self) -> bool:
        """Whether the last row of a point is an intercept."""
        return self.model.intercept

    @property
    def baseline(self) -> bool:
        """Whether one more output, whose logits are 0, is in each log-sum-exp: that of a label 0 in ``Logistic``."""
        return self.model.loss.baseline

    @cached_property
    def shares(self) -> Tensor:
        """The samples' weights, float64."""
        return self.model.weights.double()

    @property
    def labels(self) -> Tensor:
        """The labels' probabilities times the samples' weights, float64."""
        return self.model.loss.labels(torch.float64) * self.shares[:, None]

    def value(self, point: Tensor) -> Tensor:
        """Return f(point), a float64 scalar."""
        return self.model.value(point)

    def value_and_gradient(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return f(point), a float64 scalar, and the gradient."""
        return self.model.value_and_gradient(point)

    def column_sums(self) -> Tensor:
        """Return beta sum_i w_i |x_ij| and beta^2 sum_i w_i x_ij^2, (features, 2); found once."""
        return self._column_sums

    @cached_property
    def _column_sums(self) -> Tensor:
        scale = self.model.scale
        return self.features.absolute_sums(self.shares).mul_(torch.tensor([scale, scale**2], dtype=torch.float64))

    def columns(self, features: Tensor) -> SparseColumns:
        """Return beta times the features, copied."""
        columns = self.features.columns(features)
        if self.model.scale != 1.0:
            columns.values.mul_(self.model.scale)
        return columns

    def slopes(self, residual: Tensor, features: Tensor) -> Tensor:
        """Return beta X' Omega R of some features."""
        # pages of its own, which are the system's again at once
        weighted = torch.mul(residual, self.shares[:, None], out=unwritten.zeros(residual.shape, residual.dtype))
        return self.features.transposed_rows(weighted, features).mul_(self.model.scale)

    def value_and_residual(self, logits: Tensor) -> tuple[float, Tensor]:
        """Return the mean loss, and the unweighted residuals made feasible; 0 of samples without weight."""
        loss = self.model.loss.to(torch.float64)
        value, residual = loss.value_and_residual(logits, self.shares)
        residual /= self.shares.where(self.shares > 0, 1.0)[:, None]
        return value.item(), loss.balanced(residual, self.shares) if self.intercept else residual

    def dual_value(self, residual: Tensor, scale: float) -> float:
        """Return sum_i w_i H(y_i + scale r_i), some samples at a time."""
        loss, total = self.model.loss.to(torch.float64), 0.0
        if len(residual) <= PART:
            return loss.dual_value(scale * residual, self.shares).item()
        for start in range(0, len(residual), PART):
            part = slice(start, start + PART)
            some = loss.rows(start, start + PART)
            total += some.dual_value(scale * residual[part], self.shares[part]).item()
        return total


def log_linear_checked(loss: SampleLoss) -> None:
    """Raise InputError where a loss is not log-linear, or is the sum of several that are."""
    if not isinstance(loss, LogLinearLoss):
        raise InputError(
            f"the loss is {type(loss).__name__}, which is not log-linear: give CrossEntropy or Logistic, or the model "
            "itself to another solver"
        )
    if loss.baseline and loss.outputs > 1:
        raise InputError(
            f"the loss is {type(loss).__name__} of {loss.outputs} outputs, which do not depend on each other: fit each "
            "alone"
        )
