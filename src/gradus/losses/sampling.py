"""A part of a linear model's rows that stands for all of them where second derivatives are concerned."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from gradus.kernels.portions import portion
from gradus.kernels.threads import each_part

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.losses.linear_model import LinearModel
    from gradus.losses.sample_loss import SampleLoss

# share of the mean curvature that every row is given, so that a row without any today can still be drawn
SHARE_OF_ALL = 0.1
# logits whose curvature is computed together
CACHED_LOGITS = 16_384
CAPPINGS = 20


def sampled(model: LinearModel[Any], point: Tensor, count: int) -> LinearModel[Any]:
    """Return ``model`` on about ``count`` of its rows, drawn by how much they bend the loss at ``point``.

    Row i is drawn with a probability pi_i in proportion to w_i (h_i + 0.1 mean h), for h_i the mean curvature of its
    loss in the logits, and weighs w_i / pi_i: the Hessian is right on average, and of a good fit, where most rows bend
    nothing any more, it is nearly that of all rows. Drawn systematically along the rows: nothing is random.

    Cost: half a pass over X, and a copy of the rows where they are sparse.
    """
    curvature = curvatures(model, point)
    share = model.weights.double() * (curvature + SHARE_OF_ALL * curvature.mean())
    chances = inclusion_chances(share, count)
    counts = torch.floor(chances.cumsum(0) + 0.5)
    drawn = torch.nonzero(torch.diff(counts, prepend=counts.new_zeros(1)) > 0)[:, 0]
    weights = (model.weights[drawn].double() / chances[drawn]).to(model.weights.dtype)
    return type(model)(
        model.loss.taken(drawn), model.features.chosen(drawn), weights, model.intercept, model.scale, model.centre
    )


def curvatures(model: LinearModel[Any], point: Tensor) -> Tensor:
    """Return ``mean_curvature`` of every row at ``point``, (samples,), float64, some rows at a time in the cache."""
    found = torch.empty(model.samples, dtype=torch.float64, device=model.features.device)
    start = 0
    for block in model.blocks:
        logits = model.logits(point, block.features)

        def fill(part: slice, first: int = start, z: Tensor = logits, loss: Any = block.loss) -> None:
            found[first + part.start : first + part.stop] = mean_curvature(loss.rows(part.start, part.stop), z[part])

        rows = max(portion(logits.device, CACHED_LOGITS) // max(logits.shape[1], 1), 1)
        each_part(
            [slice(a, min(a + rows, len(logits))) for a in range(0, len(logits), rows)], fill, 40 * logits.numel()
        )
        start += len(logits)
    return found


def evenly_spaced(model: LinearModel[Any], count: int) -> LinearModel[Any]:
    """Return ``model`` on ``count`` to twice as many of its rows, evenly spaced, with weights that sum to 1.

    Cost: none for features in memory, one pass over those in a file.
    """
    part = (0, model.samples, max(model.samples // count, 1))
    weights = model.weights[:: part[2]]
    share = weights / weights.sum().clamp_min(torch.finfo(weights.dtype).tiny)
    return replace(model, loss=model.loss.rows(*part), features=model.features.rows(*part), weights=share)


def mean_curvature(loss: SampleLoss, logits: Tensor) -> Tensor:
    """Return the mean of the eigenvalues of each row's Hessian in the logits, bar the one that softmax has at 0.

    Examples
    --------
    >>> from gradus.losses import CrossEntropy
    >>> mean_curvature(CrossEntropy(torch.tensor([0]), 2), torch.zeros(1, 2)).tolist()
    [0.5]
    """
    diagonal, root = loss.curvature_parts(logits, torch.ones_like(logits[:, 0]))
    if root is None:
        return diagonal.mean(dim=1)
    return (diagonal.sum(dim=1) - root.square().sum(dim=1)).clamp_min(0.0) / (loss.outputs - 1)


def inclusion_chances(share: Tensor, count: int) -> Tensor:
    """Return probabilities in proportion to ``share``, none above 1, that sum to ``count`` or to all rows with a share.

    Examples
    --------
    >>> inclusion_chances(torch.tensor([8.0, 1.0, 1.0, 0.0]), 2).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    if count >= int((share > 0).sum()):
        return (share > 0).to(share.dtype)
    certain = torch.zeros_like(share, dtype=torch.bool)
    for _ in range(CAPPINGS):
        rest = share.masked_fill(certain, 0.0)
        chances = (rest * ((count - int(certain.sum())) / rest.sum())).masked_fill(certain, 1.0)
        if not (chances > 1.0).any():
            break
        certain = chances >= 1.0
    return chances.clamp_max(1.0)
