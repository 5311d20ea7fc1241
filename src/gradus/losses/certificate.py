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
# else so many scales at once, and again around the best of them
SCALES = 8
ROUNDS = 2


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

    (H is minus the loss's conjugate.) A free intercept needs sum_i w_i r_i = 0, which is repaired. s is the largest for
    which h* is finite, or the best below it. Everything is computed in float64, so that the bound holds for the weights
    as they are stored, whatever precision found them.

    Cost: one pass over X in float64, for many classes half a pass more where the first bound is not ``enough``; for the
    first point of a model a product more.

    Parameters
    ----------
    enough : a relative gap below which no tighter bound is looked for; 0 for always the tightest. It is of use with
        penalties whose conjugate is finite everywhere

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
    enough: float = 0.0

    def __call__(self, point: Tensor) -> float:
        """Return the relative gap at ``point``."""
        return self.measure(point).relative

    def measure(self, point: Tensor) -> Gap:
        """Return the primal and the dual value at ``point``, in float64."""
        point = point.double()
        residuals = self.model.dual_points(self.model.linear(point))
        penalised = point[:-1] if self.model.intercept else point
        primal = (residuals.loss + self.penalty.value(penalised)).item()
        mixed = residuals.mixed() if self.enough > 0 else None
        if mixed is not None:
            conjugate = self.penalty.conjugate(-self.model.scale * mixed.slopes)
            first = Gap(primal, (mixed.value - conjugate).item())
            if first.relative <= self.enough:
                return first
        slopes = self.model.scale * residuals.slopes

        def dual(scales: list[float]) -> list[float]:
            conjugates = [self.penalty.conjugate(-scale * slopes).item() for scale in scales]
            return [a - b for a, b in zip(residuals.values(scales).tolist(), conjugates, strict=True)]

        return Gap(primal, highest(dual, largest_scale(self.penalty, slopes)))


def largest_scale(penalty: Conjugable, slopes: Tensor) -> float:
    """Return the largest s in [0, 1] for which the penalty's conjugate is finite at -s slopes."""
    gauge = penalty.gauge(-slopes)
    # a hair inside the domain, so that rounding cannot put the dual point outside it
    return 1.0 if gauge < 1.0 else (1.0 - 1e-12) / gauge


def highest(dual: Callable[[list[float]], list[float]], largest: float) -> float:
    """Return the greatest value of a concave function seen on [0, largest]; any of its values is a valid bound."""
    end, before = dual([largest, LAST_PART * largest])
    if end >= before:
        return end
    low, high, best = 0.0, LAST_PART * largest, before
    for _ in range(ROUNDS):
        step = (high - low) / (SCALES + 1)
        scales = [low + step * (index + 1) for index in range(SCALES)]
        values = dual(scales)
        top = max(range(SCALES), key=values.__getitem__)
        best = max(best, values[top])
        low, high = scales[top] - step, scales[top] + step
    return best


@dataclass(frozen=True)
class Stationarity(Generic[Loss]):
    """The norm of the gradient mapping, |x - prox(x - t grad f(x), t)| / t, over the norm of the gradient at 0.

    For where no duality gap is known: without a penalty, or with one that has no conjugate. It is 0 at a stationary
    point and nowhere else; it does not bound how far the value is from the minimum.

    Cost: one pass over X in float64.
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
        gradient = model.value_and_gradient(model.zeros().double())[1]
        return cls(model, penalty, step, max(torch.linalg.vector_norm(gradient).item(), 1e-12))

    def __call__(self, point: Tensor) -> float:
        """Return the relative norm at ``point``."""
        point = point.double()
        gradient = self.model.value_and_gradient(point)[1]
        moved = point - self.penalty.prox(point - self.step * gradient, self.step)
        return float(torch.linalg.vector_norm(moved)) / self.step / self.reference
