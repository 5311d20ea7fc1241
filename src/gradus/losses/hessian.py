"""The Hessian of a linear model among a few entries of the point, as numbers, from a part of the rows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from gradus.kernels.threads import threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.losses.features import Features
    from gradus.losses.linear_model import LinearModel

# numbers of the gathered features held at a time
BLOCK_NUMBERS = 8_388_608


class Curvature(NamedTuple):
    """The product with the loss's weighted Hessian in the logits of some samples, and how many logits each has."""

    along: Callable[[Tensor], Tensor]
    outputs: int


def hessian_among(model: LinearModel[Any], point: Tensor, entries: Tensor, samples: int) -> Tensor:
    """Return the Hessian of ``model`` at ``point`` among ``entries``, (entries, entries), float64, symmetric.

    Between the entries (j, k) and (h, l) it is sum_i w_i u_ij c_ikl u_ih, where u is the row that the model multiplies
    (beta (x_i - c), and 1 for the intercept) and c_i the loss's Hessian in the logits; for softmax c_i is
    diag(p_i) - p_i p_i'. Every pair of outputs is one matrix product, and only half of the pairs are formed.

    Cost: samples x entries^2 multiplications.

    Parameters
    ----------
    point : of the model's shape
    entries : (entries,), int64, indices into the flat point
    samples : at least so many evenly spaced rows are used, or all; their weights are scaled to the sum of all
    """
    total = model.features.shape[0]
    step = max(total // max(samples, 1), 1)
    weights = model.weights[::step]
    if not weights.sum() > 0:
        step, weights = 1, model.weights
    weights = weights * (model.weights.sum() / weights.sum())
    outputs = model.loss.outputs
    order = torch.argsort(entries % outputs, stable=True)
    ordered = entries[order]
    hessian = torch.zeros(len(entries), len(entries), dtype=torch.float64, device=entries.device)
    rows = max(BLOCK_NUMBERS // max(len(entries), 1), 1)
    for start in range(0, len(weights), rows):
        bounds = (start * step, min((start + rows) * step, total), step)
        features = model.features.rows(*bounds)
        along = model.loss.rows(*bounds).curvature(model.logits(point, features), weights[start : start + rows])
        used = _used_rows(model, features, ordered // outputs)
        _add_products(hessian, ordered % outputs, used, Curvature(along, outputs))
    inverse = torch.argsort(order)
    whole = torch.tril(hessian) + torch.tril(hessian, -1).t()
    unsorted: Tensor = whole[inverse][:, inverse]
    return unsorted


def _add_products(hessian: Tensor, outputs: Tensor, used: Tensor, curvature: Curvature) -> None:
    """Add the products of each output's features with those of the outputs up to it: the lower triangle and a bit.

    outputs : (entries,), ascending; used : (entries, samples); curvature : of the loss on these samples
    """
    present, counts = torch.unique_consecutive(outputs, return_counts=True)
    stops = counts.cumsum(0).tolist()

    def add(index: int) -> None:
        stop = stops[index]
        start = stop - int(counts[index])
        direction = torch.zeros(used.shape[1], curvature.outputs, dtype=used.dtype, device=used.device)
        direction[:, present[index]] = 1.0
        scaled = used[:stop] * curvature.along(direction).t()[outputs[:stop]]
        hessian[start:stop, :stop] += used[start:stop] @ scaled.t()

    # each product on one thread, several at a time: how one is split among threads would change its rounding
    with threads(None) as workers, ThreadPoolExecutor(workers) as pool:
        list(pool.map(add, reversed(range(len(stops)))))


def _used_rows(model: LinearModel[Any], features: Features, columns: Tensor) -> Tensor:
    """Return u of the columns asked for, (columns, samples): the intercept's are ones."""
    count = model.features.shape[1]
    within = columns.clamp_max(count - 1)
    selected: Tensor = features.selected(within) * model.scale
    if model.centre is not None:
        selected = selected - model.scale * model.centre[within][:, None]
    if model.intercept:
        selected[columns == count] = 1.0
    return selected
