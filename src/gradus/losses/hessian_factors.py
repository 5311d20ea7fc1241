"""The Hessian of a linear model as a Kronecker product: what the features share, times what the outputs share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gradus.kernels.portions import portion
from gradus.kernels.threads import each_part, threads
from gradus.losses.hessian import BLOCK_NUMBERS, PANEL, scaled_rows
from gradus.losses.sampling import evenly_spaced, mean_curvature

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.losses.features import Features
    from gradus.losses.linear_model import LinearModel


def hessian_factors(model: LinearModel[Any], point: Tensor, rows: Tensor, samples: int) -> tuple[Tensor, Tensor]:
    """Return G (rows, rows), in the model's dtype, and M (outputs, outputs), float64: the Hessian is near G (x) M.

    With u_i the row that the model multiplies (beta (x_i - c), and 1 for the intercept), C_i the loss's Hessian in the
    logits and h_i the mean of its eigenvalues, the Hessian is sum_i w_i u_i u_i' (x) C_i, and

    G = sum_i w_i h_i u_i u_i',  M = sum_i w_i C_i / sum_i w_i h_i.

    It is equal to it where all C_i are multiples of one matrix: of squares, and of softmax at W = 0.

    Cost: samples x rows^2 / 2 multiplications.

    Parameters
    ----------
    point : of the model's shape
    rows : rows of the point, (rows,), ascending
    samples : about so many evenly spaced rows of the data are used, or all
    """
    some = evenly_spaced(model, samples) if samples < model.samples else model
    with threads(None):
        # torch on one thread, so that no rounding depends on how many there are
        return _of_samples(model, point, rows, some if some.weights.sum() > 0 else model)


def _of_samples(model: LinearModel[Any], point: Tensor, rows: Tensor, some: LinearModel[Any]) -> tuple[Tensor, Tensor]:
    logits = some.logits(point, some.features)
    weights = some.weights * (model.weights.sum() / some.weights.sum())
    diagonal, root = some.loss.curvature_parts(logits, weights)
    bend = weights * mean_curvature(some.loss, logits)
    between = torch.diag(diagonal.sum(dim=0).double())
    if root is not None:
        between -= (root.t() @ root).double()
    total = bend.sum().clamp_min(torch.finfo(bend.dtype).tiny)
    return _gram(some, some.features, rows, bend), between / total.double()


def _gram(model: LinearModel[Any], features: Features, rows: Tensor, weights: Tensor) -> Tensor:
    """Return sum_i weights_i u_i u_i' among ``rows`` of the point, half of it computed."""
    gram = torch.zeros(len(rows), len(rows), dtype=weights.dtype, device=weights.device)
    columns = rows[rows < model.features.shape[1]]
    size = len(columns)
    panels = [slice(start, min(start + PANEL, size)) for start in range(0, size, PANEL)]
    step = max(portion(weights.device, BLOCK_NUMBERS) // max(size, 1), 1)
    for start in range(0, len(weights), step):
        share = weights[start : start + step]
        used = scaled_rows(model, features.rows(start, start + len(share)), columns)

        def add(panel: slice, used: Tensor = used, share: Tensor = share) -> None:
            gram[panel, : panel.stop] += (used[panel] * share) @ used[: panel.stop].t()

        each_part(panels, add, used.shape[1] * size**2)
        # the row of the intercept, whose u is 1, if it is among them
        gram[size:, :size] += used @ share
        gram[size:, size:] += share.sum()
    for panel in panels:
        gram[: panel.start, panel] = gram[panel, : panel.start].t()
    gram[:size, size:] = gram[size:, :size].t()
    return gram
