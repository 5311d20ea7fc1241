"""Feasible dual points of softmax regression, from one pass over X."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from gradus.kernels.simplex_entropy import Repair, simplex_entropy
from gradus.kernels.softmax_sweep import Labelled, Linear, Slopes
from gradus.losses.dual import Mixed
from gradus.losses.passes import label_sums, loss_and_slopes, probabilities

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.losses.cross_entropy import CrossEntropy
    from gradus.losses.features import Features


# the probabilities of all rows are held where they are at most one number for so many of the features
HELD_PART = 16

Blocks = Callable[[], Iterator[tuple[slice, "Tensor"]]]


@dataclass(frozen=True)
class SoftmaxDualPoint:
    """Probabilities, repaired, less the labels.

    Of few classes the probabilities are held in the dtype of the features; what they were rounded to, divided by its
    sum, is on the simplex, and ``slopes`` are those of the rounded ones. Of many classes they would be as large as the
    features, and are computed again, in float64, by one product with X.

    Attributes
    ----------
    dual : what it is a dual point of
    sums : X' Omega R and 1' Omega R of the residuals as they are, without a repair
    blocks : yields rows and their probabilities, which are to be used before the next are asked for
    """

    dual: SoftmaxDual
    loss: Tensor
    linear: Linear
    sums: Slopes
    blocks: Blocks
    labelled: Labelled

    @cached_property
    def slopes(self) -> Tensor:
        """X' Omega R, repaired, (features, classes), float64."""
        if not self._repair.shares.any():
            return self.sums.slopes
        whole = self.sums.slopes + self.dual.label_sums.slopes
        slopes = self.sums.slopes.addr(whole @ self._repair.shares, self._repair.receivers)
        return slopes.sub_(whole.mul_(self._repair.shares))

    def values(self, scales: list[float]) -> Tensor:
        """Return sum_i w_i H(y_i + s r_i) for each s, H Shannon's entropy: minus the conjugate of the loss."""
        parts = [
            simplex_entropy(block, self.labelled.of_rows(rows), self._repair, scales) for rows, block in self.blocks()
        ]
        return torch.stack(parts).sum(dim=0)

    def mixed(self) -> Mixed:
        """Return another dual point, whose value is known without the probabilities.

        All rows are drawn towards one distribution v, q_i = (1 - t) p_i + t v, by the least t with which the counts of
        all classes come out right. H is concave, and sum_i w_i H(p_i) follows from the loss and the slopes.
        """
        slopes, totals = self.sums
        along = (slopes * self.linear.coefficients).sum() + totals @ self.linear.offset
        entropy = self.loss - along
        if not self.dual.balanced:
            return Mixed(entropy, slopes)
        labels = self.dual.label_sums
        expected = totals + labels.totals
        shares = totals / expected.clamp_min(torch.finfo(torch.float64).tiny)
        share = min(max(float(shares.max()), 0.0), 1.0)
        if share == 0.0:
            return Mixed(entropy, slopes)
        mass = labels.totals.sum()
        towards = ((expected - totals / share) / mass).clamp_min_(0.0)
        mixed = torch.addr(labels.slopes, labels.slopes.sum(dim=1), towards, beta=-1.0)
        value = (1.0 - share) * entropy + share * mass * torch.special.entr(towards).sum()
        return Mixed(value, mixed.mul_(share).add_(slopes, alpha=1.0 - share))

    @cached_property
    def _repair(self) -> Repair:
        surplus = self.sums.totals
        excess, lack = surplus.clamp_min(0.0), (-surplus).clamp_min(0.0)
        total = lack.sum()
        if not self.dual.balanced or total <= 0:
            return Repair(torch.zeros_like(excess), torch.zeros_like(excess))
        mass = (surplus + self.dual.label_sums.totals).clamp_min(torch.finfo(torch.float64).tiny)
        return Repair((excess / mass).clamp_max(1.0), lack / total)


@dataclass(frozen=True)
class SoftmaxDual:
    """Softmax's residuals R = P - Y at given logits, in float64, as a dual point.

    A free intercept asks for sum_i w_i r_i = 0. Classes whose expected count m_k = sum_i w_i p_ik exceeds their weight
    by d_k are scaled down by e_k = d_k / m_k, and what each row frees goes to the classes that lack it, in proportion
    to what they lack: Q = P M with M = I - diag(e) + e l'. So X' Omega (Q - Y) follows from X' Omega R and X' Omega Y,
    and X is read once. ``docs/derivations/softmax-regression.md`` has the proof.

    Attributes
    ----------
    weights : (samples,), float64, sum 1
    balanced : whether there is a free intercept
    """

    loss: CrossEntropy
    features: Features
    weights: Tensor
    balanced: bool

    def __call__(self, linear: Linear) -> SoftmaxDualPoint:
        """Return the dual point at the logits X W + b, float64. One pass over X."""
        labelled = Labelled(self.loss.targets, self.weights)
        held = self._held()
        value, sums = loss_and_slopes(self.features, linear, labelled, held)

        def blocks() -> Iterator[tuple[slice, Tensor]]:
            if held is None:
                return probabilities(self.features, linear, labelled)
            return iter([(slice(0, len(held)), held)])

        return SoftmaxDualPoint(self, value, linear, sums, blocks, labelled)

    def _held(self) -> Tensor | None:
        """Return where the probabilities of all rows go, or None where that would be too much."""
        if HELD_PART * self.loss.classes > self.features.shape[1]:
            return None
        return self.weights.new_empty(self.loss.samples, self.loss.classes, dtype=self.features.dtype)

    @cached_property
    def label_sums(self) -> Slopes:
        """X' Omega Y and 1' Omega Y, for all points. One pass over X."""
        return label_sums(self.features, Labelled(self.loss.targets, self.weights), self.loss.classes)
