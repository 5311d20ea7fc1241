"""The prox of a Euclidean norm where distances are weighted entry by entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradus.penalties.checks import positive_metric

if TYPE_CHECKING:
    from torch import Tensor

# Newton's method roughly doubles its digits; what rounding leaves to do the bracket ends
MOST_STEPS = 60


def norm_prox_in_metric(points: Tensor, metric: Tensor, strength: float) -> Tensor:
    """Return for each row z the x that minimises 1/2 sum_i d_i (x_i - z_i)^2 + strength * |x|.

    x = 0 where |d z| <= strength, else x_i = d_i r z_i / (d_i r + strength) with the r = |x| > 0 at which
    sum_i (d_i z_i / (d_i r + strength))^2 = 1. This is what a group lasso needs within an optimiser whose step has a
    scale for each weight: d is the inverse of the steps.

    Of q(r) = the root of that sum, 1 / q rises and is concave, so that Newton's method on 1 / q = 1 climbs to r from
    below without fail; a bracket guards it against rounding. Cost: O(n) a step, and about six steps.

    Parameters
    ----------
    points : z, (rows, n)
    metric : d, positive, of a shape that broadcasts to the points'
    strength : not negative

    Raises
    ------
    InputError : if an entry of the metric is not positive and finite

    References
    ----------
    More & Sorensen 1983, Computing a trust region step, section 3, for the same equation

    Examples
    --------
    >>> norm_prox_in_metric(torch.tensor([[3.0, 4.0]]), torch.tensor([[1.0, 1.0]]), 1.0)
    tensor([[2.4000, 3.2000]])
    """
    wide = metric.to(device=points.device, dtype=torch.float64).expand(points.shape)
    positive_metric(wide)
    pull = wide * points.double()
    norms = torch.linalg.vector_norm(pull, dim=1, keepdim=True)
    moved = norms > strength
    radius = _radius(pull, wide, strength, moved)
    x = points.double() * (wide * radius / (wide * radius + strength).clamp_min(torch.finfo(torch.float64).tiny))
    return (points.double() if strength == 0 else x.where(moved, 0.0)).to(points.dtype, copy=True)


def _radius(pull: Tensor, metric: Tensor, strength: float, moved: Tensor) -> Tensor:
    """Return the norm of each row's minimiser, (rows, 1); anything where the row is not ``moved``."""
    if not pull.numel():
        return pull.new_zeros(len(pull), 1)
    excess = (torch.linalg.vector_norm(pull, dim=1, keepdim=True) - strength).clamp_min(0.0)
    low, high = excess / metric.amax(dim=1, keepdim=True), excess / metric.amin(dim=1, keepdim=True)
    radius: Tensor = low
    for _ in range(MOST_STEPS):
        bottom = metric * radius + max(strength, torch.finfo(torch.float64).tiny)
        terms = (pull / bottom).square()
        size = terms.sum(dim=1, keepdim=True).sqrt()
        low, high = radius.where(size >= 1.0, low), radius.where(size <= 1.0, high)
        slope = (terms * (metric / bottom)).sum(dim=1, keepdim=True)
        newton = radius + (size - 1.0) * size.square() / slope.clamp_min(torch.finfo(torch.float64).tiny)
        following = newton.where((newton >= low) & (newton <= high), 0.5 * (low + high))
        settled = (following - radius).abs() <= 4e-16 * following
        radius = following
        if bool((settled | ~moved).all()):
            break
    return radius
