"""Cross-entropy of softmax probabilities with hard or soft labels, as a function of the logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.core.devices import require_one_device
from gradus.core.errors import InputError
from gradus.kernels.softmax_residual import softmax_residual
from gradus.kernels.softmax_sweep import Labelled, Linear, Slopes
from gradus.losses import passes
from gradus.losses.softmax_dual import SoftmaxDual

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.losses.features import Features

# rows whose entropies are computed at a time
PART = 4096


@dataclass(frozen=True)
class CrossEntropy:
    """The loss lse(z) - y . z of each row of logits z against its label y.

    Parameters
    ----------
    targets : (samples,) int64 codes in [0, classes), or (samples, classes) rows of probabilities that sum to 1
    classes : number of classes K, at least 2

    Raises
    ------
    InputError : if the targets are of neither shape, or a code or probability is outside its range

    Examples
    --------
    >>> loss = CrossEntropy(torch.tensor([0, 1]), classes=2)
    >>> value, residual = loss.value_and_residual(torch.zeros(2, 2), torch.tensor([0.5, 0.5]))
    >>> round(value.item(), 6), residual.tolist()
    (0.693147, [[-0.25, 0.25], [0.25, -0.25]])
    """

    targets: Tensor
    classes: int

    def __post_init__(self) -> None:
        if self.classes < 2:
            raise InputError(
                f"classes is {self.classes}; cross-entropy needs at least 2: give data of two classes or more"
            )
        _check(self.targets, self.classes)

    @property
    def outputs(self) -> int:
        """Columns of the logits."""
        return self.classes

    @property
    def samples(self) -> int:
        """Rows of the logits."""
        return self.targets.shape[0]

    @property
    def baseline(self) -> bool:
        """Whether one more output, whose logit is 0, is in the log-sum-exp: it is not."""
        return False

    def rows(self, start: int, stop: int, step: int = 1) -> CrossEntropy:
        """Return the same loss on every ``step``-th row from ``start`` to before ``stop``."""
        return CrossEntropy(self.targets[start:stop:step], self.classes)

    def taken(self, positions: Tensor) -> CrossEntropy:
        """Return the same loss on the rows at ``positions``."""
        return CrossEntropy(self.targets[positions], self.classes)

    def to(self, dtype: torch.dtype) -> CrossEntropy:
        """Return the same loss with soft labels in ``dtype``; codes stay codes."""
        return self if self.targets.ndim == 1 else CrossEntropy(self.targets.to(dtype), self.classes)

    def value_and_residual(self, logits: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return sum_i w_i loss_i (float64 scalar) and its derivative w_i (softmax(z_i) - y_i).

        logits : (samples, classes), finite; weights : (samples,), not negative, in the dtype of the logits.
        One pass over the rows; see ``gradus.kernels.softmax_residual``.
        """
        require_one_device(logits=logits, targets=self.targets, weights=weights)
        return softmax_residual(logits, self.targets, weights)

    def curvature(self, logits: Tensor, weights: Tensor) -> Callable[[Tensor], Tensor]:
        """Return s -> w_i p_i * (s_i - p_i . s_i), the product with the loss's Hessian in the logits.

        The softmax Jacobian diag(p) - p p' is applied without being formed: O(samples x classes).
        """
        probabilities = torch.softmax(logits, dim=1)

        def product(direction: Tensor) -> Tensor:
            mean = (probabilities * direction).sum(dim=1, keepdim=True)
            return weights[:, None] * probabilities * (direction - mean)

        return product

    def value_over(self, features: Features, linear: Linear, weights: Tensor) -> Tensor:
        """Return the loss at the logits X W + b. One pass over X; see ``gradus.kernels.softmax_sweep``."""
        return passes.loss(features, linear, Labelled(self.targets, weights))

    def slopes_over(self, features: Features, linear: Linear, weights: Tensor) -> tuple[Tensor, Slopes]:
        """Return the loss and its derivative in W and b. One pass over X."""
        return passes.loss_and_slopes(features, linear, Labelled(self.targets, weights))

    def curvature_over(self, features: Features, linear: Linear, weights: Tensor) -> Callable[[Linear], Slopes]:
        """Return the product with the Hessian in W and b. One pass over X now and one for each product."""
        probabilities = linear.coefficients.new_empty(self.samples, self.classes)
        passes.loss(features, linear, Labelled(self.targets, weights), probabilities)

        def product(direction: Linear) -> Slopes:
            return passes.hessian_product(features, direction, probabilities, weights)

        return product

    def curvature_parts(self, logits: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return d_i = w_i p_i and r_i = sqrt(w_i) p_i: the Hessian in the logits is diag(d_i) - r_i r_i'."""
        probabilities = torch.softmax(logits, dim=1)
        return weights[:, None] * probabilities, weights.sqrt()[:, None] * probabilities

    def dual_points(self, features: Features, weights: Tensor, *, balanced: bool) -> SoftmaxDual:
        """Return the map from (W, b) to a dual point near the residuals there. One pass over X for each."""
        return SoftmaxDual(self, features, weights, balanced)

    def curvature_bound(self) -> float:
        """Return the largest eigenvalue that the Hessian in the logits of one row can have: 1/2 (Boehning 1992)."""
        return 0.5

    def typical_curvature(self) -> float:
        """Return the Hessian's non-zero eigenvalue in the logits at uniform probabilities, 1 / classes."""
        return 1.0 / self.classes

    def labels(self, dtype: torch.dtype) -> Tensor:
        """Return the labels as (samples, classes) rows of probabilities."""
        if self.targets.ndim == 2:
            return self.targets.to(dtype)
        zeros = torch.zeros(self.samples, self.classes, dtype=dtype, device=self.targets.device)
        return zeros.scatter_(1, self.targets[:, None], 1.0)

    def dual_value(self, residual: Tensor, weights: Tensor) -> Tensor:
        """Return sum_i w_i H(y_i + r_i), Shannon's entropy: minus the conjugate of the loss at the residuals r.

        residual : (samples, classes), unweighted, with y + r on the simplex up to rounding
        """
        entropies = residual.new_empty(self.samples)
        for start in range(0, self.samples, PART):
            part = slice(start, start + PART)
            probabilities = self.rows(start, start + PART)._add_labels(residual[part].clone()).clamp_min_(0.0)
            torch.sum(torch.special.entr(probabilities, out=probabilities), dim=1, out=entropies[part])
        return (entropies * weights).sum()

    def balanced(self, residual: Tensor, weights: Tensor) -> Tensor:
        """Return residuals near ``residual`` that are feasible for the dual and have sum_i w_i r_i = 0.

        A free intercept asks for that. Classes whose expected count exceeds their weight are scaled down, and the mass
        that each row frees goes to the classes that lack it, in proportion to what they lack; the rows stay on the
        simplex. ``docs/derivations/softmax-regression.md`` has the proof.
        """
        surplus = weights @ residual
        probabilities = self._add_labels(residual.clone())
        mass = weights @ probabilities
        excess = surplus.clamp_min(0.0)
        lack = (-surplus).clamp_min(0.0)
        total = lack.sum()
        if total <= 0:
            return residual
        shares = excess / mass.clamp_min(torch.finfo(mass.dtype).tiny)
        freed = probabilities @ shares
        probabilities.mul_(1.0 - shares).addcmul_(freed[:, None], lack / total)
        return self._add_labels(probabilities, -1)

    def _add_labels(self, rows: Tensor, sign: int = 1) -> Tensor:
        """Add sign y to ``rows`` and return them."""
        if self.targets.ndim == 2:
            return rows.add_(self.targets, alpha=sign)
        ones = rows.new_full((1, 1), sign).expand(self.samples, 1)
        return rows.scatter_add_(1, self.targets[:, None], ones)


def _check(targets: Tensor, classes: int) -> None:
    if targets.ndim == 1 and targets.dtype == torch.int64:
        if targets.numel() and (targets.min() < 0 or targets.max() >= classes):
            raise InputError(f"targets has codes outside [0, {classes}): encode the labels as 0 ... {classes - 1}")
    elif targets.ndim == 2 and targets.shape[1] == classes and targets.is_floating_point():
        sums = targets.double().sum(dim=1)
        if targets.numel() and (targets.min() < 0 or (sums - 1).abs().max() > 1e-3):
            raise InputError("targets has rows that are not probabilities: each must be >= 0 and sum to 1")
    else:
        raise InputError(
            f"targets has shape {tuple(targets.shape)} and dtype {targets.dtype}; expected (samples,) int64 codes "
            f"or (samples, {classes}) probabilities in floating point"
        )
