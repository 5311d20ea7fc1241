"""The intercept of softmax regression moved to where, for the weights as they are, the loss is nearly lowest."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from gradus.kernels.softmax_sweep import Labelled
from gradus.losses import passes

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.losses.cross_entropy import CrossEntropy
    from gradus.losses.linear_model import LinearModel

# the intercepts move apart by at most so much: up to here the loss is sure to fall
MOST = 1.0
# added to the Hessian, relative to its diagonal: classes that nothing connects have no place relative to one another
JITTER = 1e-9


class Balanced(NamedTuple):
    """A point whose intercept is balanced, and about how far its loss is below that of the point before."""

    point: Tensor
    gain: float


def worthwhile(model: LinearModel[CrossEntropy]) -> bool:
    """Return whether there is an intercept, and classes so few that what they share costs a product with X at most."""
    return model.intercept and model.loss.classes <= model.features.shape[1]


def balanced(model: LinearModel[CrossEntropy], point: Tensor, totals: Tensor) -> Balanced:
    """Return the point after Newton's step in the intercept alone.

    At the lowest loss every class is expected as often as it occurs, which is what a dual point needs. Cost: one
    product with X, and one among the probabilities.

    Parameters
    ----------
    totals : the loss's derivative in the intercept at ``point``, (classes,): its expected counts less those that are
    """
    labelled = Labelled(model.loss.targets, model.weights.to(point.dtype))
    hessian = passes.offset_hessian(model.features, model.linear(point), labelled)
    derivative = totals.double()
    # an intercept common to all classes changes nothing
    derivative = derivative - derivative.mean()
    scale = hessian.diagonal().clamp_min(torch.finfo(torch.float64).tiny).rsqrt()
    system = hessian * scale * scale[:, None]
    system.diagonal().add_(JITTER)
    step = -scale * torch.linalg.solve(system, scale * derivative)
    spread = float(step.max() - step.min())
    if not spread <= MOST:
        return Balanced(point, 0.0)
    moved = point.clone()
    moved[-1] += (step - step.mean()).to(point.dtype)
    return Balanced(moved, -0.5 * float(step @ derivative))
