"""How far a point is from the minimum, at most: the duality gap of a linear model with a convex penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple

import torch

from gradus.losses.linear_model import LinearModel, Loss
from gradus.losses.sample_loss import BoundedCurvature

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.core.protocols import Conjugable, Proximable

# the dual value is concave in the scale: where it still rises over the last part, the end is as good as the maximum
LAST_PART = 0.98
GOLDEN = 0.5 * (5**0.5 - 1)
GOLDEN_STEPS = 8


class Gap(NamedTuple):
    """Primal and dual value, in float64: the minimum lies between them."""

    primal: float
    dual: float

    @property
    def absolute(self) -> float:
        """How far the primal value is above the minimum, at most."""
        return max(self.primal - self.dual, 0.0)

    @property
    def relative(self) -> float:
        """The absolute gap as a fraction of the primal value; 0 where both are 0."""
        return self.absolute / max(abs(self.primal), torch.finfo(torch.float64).tiny)


@dataclass(frozen=True)
class DualityGap(Generic[Loss]):
    """The duality gap of f(W, b) + h(W), for f a ``LinearModel`` and h a convex penalty on the weights alone.

    Every row's residual r_i, made feasible, is a dual point, and so is s r_i for any s in [0, 1]:

    D(s) = sum_i w_i H(y_i + s r_i) - h*(-s beta X' Omega R)  <=  minimum  <=  primal

    (H is the loss's ``dual_value``.) A free intercept needs sum_i w_i r_i = 0, which ``balanced`` repairs. s is the
    largest for which h* is finite, or the best below it. Everything is computed in float64, a block of rows at a time,
    so that the bound holds for the weights as they are stored, whatever precision found them.

    Cost: two products with X, and one number per sample and class of memory.

    Examples
    --------
    >>> from gradus.losses import CrossEntropy, DenseFeatures
    >>> from gradus.penalties import L1
    >>> loss = CrossEntropy(torch.tensor([0, 1]), classes=2)
    >>> model = LinearModel(loss, DenseFeatures(torch.eye(2)), torch.tensor([0.5, 0.5]))
    >>> round(DualityGap(model, L1(1.0))(model.zeros()), 6)  # zero is optimal under so strong a penalty
    0.0
    """

    model: LinearModel[Loss]
    penalty: Conjugable

    def __call__(self, point: Tensor) -> float:
        """Return the relative gap at ``point``."""
        return self.measure(point).relative

    def measure(self, point: Tensor) -> Gap:
        """Return the primal and the dual value at ``point``, in float64."""
        point = point.double()
        weights = self.model.weights.double()
        loss_value, residual = self._residual(point)
        penalised = point[:-1] if self.model.intercept else point
        primal = (loss_value + self.penalty.value(penalised)).item()
        if self.model.intercept:
            residual = self.model.loss.balanced(residual, weights)
        slopes = self._slopes(residual, weights)

        def dual(scale: float) -> float:
            entropy = self.model.loss.dual_value(scale * residual, weights)
            return (entropy - self.penalty.conjugate(-scale * slopes)).item()

        return Gap(primal, highest(dual, largest_scale(self.penalty, slopes)))

    def _residual(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss and the unweighted residuals, both in float64."""
        values, residuals = [], []
        for block in self.model.blocks:
            logits = self.model.logits(point, block.features)
            ones = torch.ones(logits.shape[0], dtype=torch.float64, device=logits.device)
            loss = block.loss.to(torch.float64)
            values.append(loss.value_and_residual(logits, block.weights.double())[0])
            residuals.append(loss.value_and_residual(logits, ones)[1])
        return torch.stack(values).sum(), torch.cat(residuals)

    def _slopes(self, residual: Tensor, weights: Tensor) -> Tensor:
        """Return beta X' Omega R, (features, outputs)."""
        weighted = residual * weights[:, None]
        slopes = torch.zeros(self.model.features.shape[1], self.model.loss.outputs, dtype=torch.float64)
        slopes = slopes.to(residual.device)
        start = 0
        for block in self.model.blocks:
            stop = start + block.weights.shape[0]
            slopes += block.features.transposed_times(weighted[start:stop])
            start = stop
        return self.model.scale * slopes


def largest_scale(penalty: Conjugable, slopes: Tensor) -> float:
    """Return the largest s in [0, 1] for which the penalty's conjugate is finite at -s slopes."""
    gauge = penalty.gauge(-slopes)
    # a hair inside the domain, so that rounding cannot put the dual point outside it
    return 1.0 if gauge < 1.0 else (1.0 - 1e-12) / gauge


def highest(dual: Callable[[float], float], largest: float) -> float:
    """Return the greatest value of a concave function seen on [0, largest]; any of its values is a valid bound."""
    end = dual(largest)
    if end >= dual(LAST_PART * largest):
        return end
    low, high, best = 0.0, largest, end
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = dual(left), dual(right)
    for _ in range(GOLDEN_STEPS):
        best = max(best, at_left, at_right)
        if at_left >= at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = dual(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = dual(right)
    return best


@dataclass(frozen=True)
class Stationarity(Generic[Loss]):
    """The norm of the gradient mapping, |x - prox(x - t grad f(x), t)| / t, over the norm of the gradient at 0.

    For where no duality gap is known: without a penalty, or with one that has no conjugate. It is 0 at a stationary
    point and nowhere else; it does not bound how far the value is from the minimum.

    Cost: two products with X.
    """

    model: LinearModel[Loss]
    penalty: Proximable
    step: float
    reference: float

    @classmethod
    def of(cls, model: LinearModel[Loss], penalty: Proximable) -> Stationarity[Loss]:
        """Return the certificate of model + penalty, with the step 1 / (the trace bound on the curvature).

        Of a loss without a bound on its curvature a typical one is taken: with any step the mapping is 0 at the same
        points.
        """
        loss = model.loss
        curvature = loss.curvature_bound() if isinstance(loss, BoundedCurvature) else loss.typical_curvature()
        step = 1.0 / (curvature * (model.squared_norms().sum().item() + 1.0))
        gradient = _double_gradient(model, model.zeros().double())
        return cls(model, penalty, step, max(torch.linalg.vector_norm(gradient).item(), 1e-12))

    def __call__(self, point: Tensor) -> float:
        """Return the relative norm at ``point``."""
        point = point.double()
        gradient = _double_gradient(self.model, point)
        moved = point - self.penalty.prox(point - self.step * gradient, self.step)
        return float(torch.linalg.vector_norm(moved)) / self.step / self.reference


def _double_gradient(model: LinearModel[Loss], point: Tensor) -> Tensor:
    gradient = torch.zeros_like(point)
    for block in model.blocks:
        loss = block.loss.to(torch.float64)
        residual = loss.value_and_residual(model.logits(point, block.features), block.weights.double())[1]
        gradient += model.pull_back(residual, block.features)
    return gradient
