"""Feasible dual points of softmax regression, from one pass over X."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from gradus.kernels.simplex_entropy import Repair, simplex_entropy
from gradus.kernels.softmax_sweep import Labelled, Linear, Slopes
from gradus.losses.passes import label_sums, loss_and_slopes

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.losses.cross_entropy import CrossEntropy
    from gradus.losses.features import Features


@dataclass(frozen=True)
class SoftmaxDualPoint:
    """Probabilities, repaired, less the labels.

    The probabilities are held in the dtype of the features; what they were rounded to, divided by its sum, is on the
    simplex, and ``slopes`` are those of the rounded ones.
    """

    loss: Tensor
    slopes: Tensor
    probabilities: Tensor
    labelled: Labelled
    repair: Repair

    def values(self, scales: list[float]) -> Tensor:
        """Return sum_i w_i H(y_i + s r_i) for each s, H Shannon's entropy: minus the conjugate of the loss."""
        return simplex_entropy(self.probabilities, self.labelled, self.repair, scales)


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
        probabilities = self.weights.new_empty(self.loss.samples, self.loss.classes, dtype=self.features.dtype)
        value, (slopes, totals) = loss_and_slopes(self.features, linear, labelled, probabilities)
        repair = self._repair(totals)
        if repair.shares.any():
            whole = slopes + self._label_sums[0]
            slopes = slopes - whole * repair.shares + torch.outer(whole @ repair.shares, repair.receivers)
        return SoftmaxDualPoint(value, slopes, probabilities, labelled, repair)

    def _repair(self, surplus: Tensor) -> Repair:
        excess, lack = surplus.clamp_min(0.0), (-surplus).clamp_min(0.0)
        total = lack.sum()
        if not self.balanced or total <= 0:
            return Repair(torch.zeros_like(excess), torch.zeros_like(excess))
        mass = (surplus + self._label_sums[1]).clamp_min(torch.finfo(torch.float64).tiny)
        return Repair((excess / mass).clamp_max(1.0), lack / total)

    @cached_property
    def _label_sums(self) -> Slopes:
        """X' Omega Y and 1' Omega Y, for all points. One pass over X."""
        return label_sums(self.features, Labelled(self.loss.targets, self.weights), self.loss.classes)
