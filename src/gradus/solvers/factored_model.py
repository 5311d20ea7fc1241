"""The quadratic model of all rows at once: its Hessian a Kronecker product, corrected by what was found since."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.kernels.kronecker_lasso import Curvature, Quadratic, kronecker_lasso
from gradus.kernels.threads import threads
from gradus.solvers.working_model import JITTER, LEAST_CURVATURE, LEAST_ROWS, Selection

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Curved

# the model is minimised until its violation is this fraction of the function's, in so many sweeps at most: they cost
# little beside a value and gradient
FORCING, SWEEPS = 0.03, 300
# rows of data for each feature, relative to those that a model of entries has for each entry
ROWS_PER_FEATURE = 2.0
# curvature between outputs that is added, relative to its mean: softmax has none where all outputs move alike
SHIFT = 1e-3
# corrections that are kept before the product is made anew
MOST_CORRECTIONS = 30
# the factor within which a product that is worth keeping predicts the curvature along a step
NEARLY = 2.5


@dataclass(frozen=True)
class FactoredModel:
    """Rows of the point, nearly their Hessian G (x) M, and whether G (x) M alone would still do.

    It costs a features x features matrix where the Hessian among the entries has outputs^2 times as many numbers. It is
    exact at W = 0, and good while the samples' probabilities are alike.
    """

    selection: Selection
    curvature: Curvature
    trusted: bool

    @classmethod
    def built(cls, smooth: Curved, point: Tensor, selection: Selection, rows_per_entry: float) -> FactoredModel:
        """Return the model at ``point``, all of whose rows have every entry or none selected, from so much data."""
        width = point.shape[1]
        rows = selection.entries[: len(selection.entries) // width] // width
        samples = LEAST_ROWS + math.ceil(ROWS_PER_FEATURE * rows_per_entry * len(rows))
        gram, between = smooth.hessian_factors(point, rows, samples)
        diagonal = gram.diagonal()
        diagonal.add_(JITTER * (diagonal + diagonal.mean().clamp_min(torch.finfo(torch.float32).tiny)))
        between = between + SHIFT * between.diagonal().mean() / len(between)
        empty = between.new_empty(len(rows), 0, len(between))
        return cls(selection, Curvature(gram, between, empty, empty[0, :, 0]), trusted=True)

    def minimised(
        self, begin: Tensor, slopes: Tensor, strengths: tuple[Tensor, Tensor, Tensor], violation: float
    ) -> Tensor:
        """Return the entries that minimise the model plus the penalty, up to a part of ``violation``."""
        features = len(self.curvature.gram)
        absolute, square = (part[:features] for part in strengths[:2])
        norms = strengths[2] if len(strengths[2]) else torch.zeros_like(absolute)
        quadratic = Quadratic(self.curvature, self._matrix(slopes), self._matrix(begin), absolute, square, norms)
        return kronecker_lasso(quadratic, FORCING * violation, SWEEPS).t().reshape(-1)

    def corrected(self, moved: Tensor, change: Tensor) -> tuple[FactoredModel, bool]:
        """Return the model whose Hessian maps ``moved`` to ``change`` (BFGS); whether the product alone nearly did."""
        step, turn = self._matrix(moved), self._matrix(change)
        with threads(None):
            # on one thread, so that no rounding depends on how many there are
            bare = self.curvature.product(step)
            bent = bare + self.curvature.correction(step)
            product, expected, found = ((step * part).sum().item() for part in (bare, bent, turn))
        if not (expected > 0 and found > LEAST_CURVATURE * expected):
            return self, False
        more = torch.stack([bent / math.sqrt(expected), turn / math.sqrt(found)], dim=1)
        vectors = torch.cat([self.curvature.vectors, more], dim=1)
        signs = torch.cat([self.curvature.signs, more.new_tensor([-1.0, 1.0])])
        curvature = self.curvature._replace(vectors=vectors, signs=signs)
        trusted = len(signs) < 2 * MOST_CORRECTIONS
        return FactoredModel(self.selection, curvature, trusted), product <= NEARLY * found <= NEARLY**2 * product

    def _matrix(self, entries: Tensor) -> Tensor:
        return entries.reshape(-1, len(self.curvature.gram)).t().contiguous()
