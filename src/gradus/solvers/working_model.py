"""The quadratic model among the entries that move: chosen, built from a part of the data, minimised and corrected."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import torch

from gradus.core import unwritten
from gradus.core.free_memory import give_back
from gradus.kernels.gram_lasso import Quadratic, gram_lasso
from gradus.kernels.threads import threads

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Curved
    from gradus.solvers.terms import Terms

# the model is minimised until its violation is this fraction of the function's
FORCING = 0.1
# units at zero enter the working set if their slope is above this fraction of the threshold
NEAR = 0.95
LEAST_ENTRIES, LEAST_ROWS = 100, 512
# added to the Hessian's diagonal, relative to it and to its mean
JITTER = 1e-6
# the factor within which a good model predicts the curvature along a step
NEARLY = 1.5
LEAST_CURVATURE = 1e-8
# most arithmetic of a descent on the model, as sweeps times the square of the entries, and fewest and most sweeps
DESCENT, FEWEST_SWEEPS, MOST_SWEEPS = 1e9, 300, 20_000


class Selection(NamedTuple):
    """The units that may move, and their entries as indices into the flat point, column by column."""

    units: Tensor
    entries: Tensor

    @classmethod
    def of(cls, terms: Terms, point: Tensor, gradient: Tensor, most_entries: int) -> Selection:
        """Return the free and the non-zero units and as many of those at zero that are nearest to moving."""
        held = terms.held(point)
        width = point.shape[1] if terms.by_rows else 1
        rank = terms.nearness(gradient, NEAR).masked_fill(held, math.inf)
        count = int(held.sum())
        size = min(count + max(count, LEAST_ENTRIES // width), most_entries // width, int((rank > 0).sum()))
        units = rank.topk(max(size, 0), sorted=False).indices.sort().values
        return cls(units, terms.entries(units, point))

    @classmethod
    def of_rows(cls, terms: Terms, point: Tensor, gradient: Tensor, most_rows: int) -> Selection:
        """Return whole rows, all or ``most_rows``: those with units that are free or not zero, and those nearest."""
        count, width = point.shape
        rank = terms.nearness(gradient, 0.0).masked_fill(terms.held(point), math.inf).reshape(count, -1).amax(dim=1)
        rows = rank.topk(min(count, most_rows), sorted=False).indices.sort().values
        units = rows if terms.by_rows else (rows[:, None] * width + torch.arange(width, device=rows.device)).ravel()
        return cls(units, terms.entries(units, point))


@dataclass(frozen=True)
class WorkingModel:
    """The entries that move, and the smooth part's Hessian among them as far as it is known."""

    selection: Selection
    hessian: Tensor
    trusted: bool

    @classmethod
    def built(cls, smooth: Curved, point: Tensor, selection: Selection, rows_per_entry: float) -> WorkingModel:
        """Return the model with the Hessian at ``point`` from so many rows of data per entry."""
        samples = LEAST_ROWS + math.ceil(rows_per_entry * len(selection.entries))
        hessian = smooth.hessian_among(point, selection.entries, samples)
        diagonal = hessian.diagonal()
        diagonal.add_(JITTER * (diagonal + diagonal.mean().clamp_min(torch.finfo(torch.float32).tiny)))
        return cls(selection, hessian, trusted=True)

    def minimised(
        self, begin: Tensor, slopes: Tensor, strengths: tuple[Tensor, Tensor, Tensor], violation: float
    ) -> Tensor:
        """Return the entries that minimise the model plus the penalty, up to a part of ``violation``."""
        absolute, square, norms = strengths
        size = max(len(begin), 1)
        sweeps = int(min(max(DESCENT / size**2, FEWEST_SWEEPS), MOST_SWEEPS))
        return gram_lasso(Quadratic(self.hessian, slopes, begin, absolute, square, norms), FORCING * violation, sweeps)

    def corrected(self, moved: Tensor, change: Tensor) -> tuple[WorkingModel, bool]:
        """Return the model whose Hessian maps ``moved`` to ``change``, the gradient's (BFGS); whether it nearly did."""
        step, turn = moved.to(self.hessian.dtype), change.to(self.hessian.dtype)
        with threads(None):
            # on one thread, so that no rounding depends on how many there are
            bent = self.hessian @ step
            expected, found = (moved @ bent.double()).item(), (moved @ change).item()
            # without positive curvature, which rounding can make, the correction would break positive definiteness
            if not (expected > 0 and found > LEAST_CURVATURE * expected):
                return self, False
            # on pages of its own: what a Hessian leaves on the heap the next one does not fit into, by some bytes
            give_back()
            hessian = unwritten.zeros(self.hessian.shape, self.hessian.dtype, self.hessian.device)
            torch.addr(self.hessian, bent, bent, alpha=-1 / expected, out=hessian)
            hessian.addr_(turn, turn, alpha=1 / found)
        return replace(self, hessian=hessian, trusted=True), 1 / NEARLY <= found / expected <= NEARLY
