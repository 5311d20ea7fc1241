"""The Hessian of a linear model among a few entries of the point, as numbers, from a part of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from gradus.kernels.portions import portion
from gradus.kernels.threads import each_part

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.losses.features import Features
    from gradus.losses.linear_model import LinearModel

# numbers of the scaled features held at a time: small beside the data, and long enough for fast products
BLOCK_NUMBERS = 1_048_576
# rows of the matrix that one product fills
PANEL = 256


class Entries(NamedTuple):
    """Entries of the point in ascending order of their outputs.

    Attributes
    ----------
    features : the features that occur, (features,), ascending
    places : where the feature of each entry is among those, (entries,)
    spans : the first entry of each output, the one after its last, and the output
    """

    features: Tensor
    places: Tensor
    spans: list[tuple[int, int, int]]

    @classmethod
    def of(cls, entries: Tensor, outputs: int) -> Entries:
        """Return ``entries``, indices into a flat point, in parts."""
        features, places = torch.unique(entries // outputs, return_inverse=True)
        present, counts = torch.unique_consecutive(entries % outputs, return_counts=True)
        stops = counts.cumsum(0)
        spans = zip((stops - counts).tolist(), stops.tolist(), present.tolist(), strict=True)
        return cls(features, places, list(spans))


def hessian_among(model: LinearModel[Any], point: Tensor, entries: Tensor, samples: int) -> Tensor:
    """Return the Hessian of ``model`` at ``point`` among ``entries``, (entries, entries), symmetric, in its dtype.

    Between the entries (j, k) and (h, l) it is sum_i w_i u_ij c_ikl u_ih, where u is the row that the model multiplies
    (beta (x_i - c), and 1 for the intercept) and c_i = diag(d_i) - r_i r_i' the loss's Hessian in the logits. So it is
    a block of each output alone, minus V'V for the columns v = r_k u of all entries, of which half is formed.

    Cost: samples x entries^2 multiplications.

    Parameters
    ----------
    point : of the model's shape
    entries : (entries,), int64, indices into the flat point; in ascending order of their outputs it is fastest
    samples : about so many rows are used, or all; which, see ``gradus.losses.sampling``
    """
    order = torch.argsort(entries % model.loss.outputs, stable=True)
    hessian = _of_ordered(model, point, entries[order], samples)
    if bool((order[1:] > order[:-1]).all()):
        return hessian
    inverse = torch.argsort(order)
    unsorted: Tensor = hessian[inverse][:, inverse]
    return unsorted


def _of_ordered(model: LinearModel[Any], point: Tensor, entries: Tensor, samples: int) -> Tensor:
    some = model.sampled(point, samples)
    parts = Entries.of(entries, model.loss.outputs)
    hessian = torch.zeros(len(entries), len(entries), dtype=model.weights.dtype, device=entries.device)
    rows = max(portion(entries.device, BLOCK_NUMBERS) // max(len(entries), 1), 1)
    for start in range(0, some.samples, rows):
        bounds = (start, min(start + rows, some.samples))
        features = some.features.rows(*bounds)
        curvature = some.loss.rows(*bounds).curvature_parts(some.logits(point, features), some.weights[slice(*bounds)])
        _add_products(hessian, parts, _used_rows(some, features, parts.features), curvature)
    for start in range(0, len(hessian), PANEL):
        panel = slice(start, start + PANEL)
        hessian[:start, panel] = hessian[panel, :start].t()
    return hessian


def _add_products(hessian: Tensor, parts: Entries, used: Tensor, curvature: tuple[Tensor, Tensor | None]) -> None:
    """Add the products over some samples: of each output with itself, and of the entries scaled by r with each other.

    Of the latter only the panels up to the diagonal. Nothing of the size of the Hessian is formed beside it.

    used : (features, samples); curvature : d and r of these samples, (samples, outputs) each
    """
    diagonal = curvature[0].t().contiguous()
    root = None if curvature[1] is None else curvature[1].t().contiguous()
    rooted = None if root is None else used.new_empty(len(parts.places), used.shape[1])

    def add_block(span: tuple[int, int, int]) -> None:
        start, stop, output = span
        own = used[parts.places[start:stop]]
        hessian[start:stop, start:stop].addmm_(own * diagonal[output], own.t())
        if root is not None and rooted is not None:
            torch.mul(own, root[output], out=rooted[start:stop])

    def subtract_panel(start: int) -> None:
        assert rooted is not None
        stop = min(start + PANEL, len(rooted))
        hessian[start:stop, :stop].addmm_(rooted[start:stop], rooted[:stop].t(), alpha=-1)

    samples = used.shape[1]
    each_part(parts.spans, add_block, 2 * samples * sum((stop - start) ** 2 for start, stop, _ in parts.spans))
    if rooted is not None:
        panels = range(0, len(rooted), PANEL)
        each_part(panels[::-1], subtract_panel, samples * len(rooted) ** 2)


def _used_rows(model: LinearModel[Any], features: Features, columns: Tensor) -> Tensor:
    """Return u of the columns asked for, (columns, samples): the intercept's are ones."""
    count = model.features.shape[1]
    selected = scaled_rows(model, features, columns.clamp_max(count - 1))
    if model.intercept:
        selected[columns == count] = 1.0
    return selected


def scaled_rows(model: LinearModel[Any], features: Features, columns: Tensor) -> Tensor:
    """Return beta (x - c) of the features at ``columns``, (columns, samples)."""
    selected: Tensor = features.selected(columns) * model.scale
    if model.centre is not None:
        selected -= model.scale * model.centre[columns][:, None]
    return selected
