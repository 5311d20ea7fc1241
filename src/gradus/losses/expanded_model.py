"""Softmax and logistic regression with few unknowns: value, gradient and Hessian at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

import torch

from gradus.kernels.softmax_expansion import Expansion, Samples, softmax_expansion
from gradus.losses.column_model import log_linear_checked
from gradus.losses.overflow import squares_checked
from gradus.losses.sample_loss import LogLinearLoss

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.losses.linear_model import LinearModel

Loss = TypeVar("Loss", bound=LogLinearLoss)


@dataclass(frozen=True)
class ExpandedModel(Generic[Loss]):
    """The function of ``LinearModel`` with a log-linear loss, for ``gradus.solvers.Newton``.

    It holds a copy of the features in float64, and a pass over it costs samples x unknowns^2 / 2: for data that is
    small beside what a call from Python costs.

    Parameters
    ----------
    model : of ``CrossEntropy``, or of ``Logistic`` with one output

    Raises
    ------
    InputError : if the loss is another, and at the first expansion if squares of the features overflow in their dtype

    Examples
    --------
    >>> from gradus.losses import DenseFeatures, LinearModel, Logistic
    >>> loss = Logistic(torch.tensor([[1.0], [0.0]]))
    >>> model = LinearModel(loss, DenseFeatures(torch.eye(2)), torch.tensor([0.5, 0.5]), intercept=False)
    >>> value, gradient, hessian = ExpandedModel(model).expansion(model.zeros())
    >>> round(value, 6), hessian.tolist()
    (0.693147, [[0.125, 0.0], [0.0, 0.125]])
    """

    model: LinearModel[Loss]

    def __post_init__(self) -> None:
        log_linear_checked(self.model.loss)

    def expansion(self, point: Tensor) -> Expansion:
        """Return value, gradient and Hessian at ``point``; see ``gradus.core.protocols.Expandable``.

        Softmax does not bend where all intercepts move alike, and no gradient points there: the Hessian is given a
        curvature of 1 along that, with which it can be solved and leads to the same step.
        """
        found = softmax_expansion(self._samples, point.double(), baseline=self.model.loss.baseline)
        if self.model.intercept and not self.model.loss.baseline:
            rows, outputs = point.shape
            found.hessian.view(outputs, rows, outputs, rows)[:, -1, :, -1] += 1.0 / outputs
        return found

    def value(self, point: Tensor) -> Tensor:
        """Return f(point), a float64 scalar."""
        return self.model.value(point)

    def value_and_gradient(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return f(point), a float64 scalar, and the gradient."""
        return self.model.value_and_gradient(point)

    @cached_property
    def _samples(self) -> Samples:
        """The columns that the point is multiplied by: beta (x - c), and 1 for the intercept."""
        model = self.model
        samples, features = model.features.shape
        columns = torch.ones(model.shape[0], samples, dtype=torch.float64, device=model.weights.device)
        columns[:features] = model.features.selected(torch.arange(features, device=columns.device))
        if model.centre is not None:
            columns[:features] -= model.centre.double()[:, None]
        if model.scale != 1.0:
            columns[:features] *= model.scale
        largest = torch.linalg.vector_norm(columns, ord=math.inf).to(model.features.dtype)
        squares_checked(float(largest.square()), model.features.dtype)
        labels = model.loss.labels(torch.float64).t().contiguous()
        return Samples(columns, labels, model.weights.double())
