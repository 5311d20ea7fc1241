"""What a loss must offer to be put on top of a linear model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from torch import Tensor

    from gradus.kernels.softmax_sweep import Linear, Slopes
    from gradus.losses.dual import DualPoint
    from gradus.losses.features import Features


class SampleLoss(Protocol):
    """A convex loss per row of logits, with its labels bound; weights are given at each call."""

    @property
    def outputs(self) -> int:
        """Columns of the logits."""

    @property
    def samples(self) -> int:
        """Rows of the logits."""

    def rows(self, start: int, stop: int, step: int = 1) -> Self:
        """Return the same loss on every ``step``-th row from ``start`` to before ``stop``."""

    def taken(self, positions: Tensor) -> Self:
        """Return the same loss on the rows at ``positions``."""

    def to(self, dtype: torch.dtype) -> Self:
        """Return the same loss with floating-point labels in ``dtype``."""

    def value_and_residual(self, logits: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return sum_i w_i loss_i (float64 scalar) and its derivative in the logits."""

    def curvature(self, logits: Tensor, weights: Tensor) -> Callable[[Tensor], Tensor]:
        """Return the product with the Hessian in the logits."""

    def curvature_parts(self, logits: Tensor, weights: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return d and r, (samples, outputs), of the Hessian in the logits diag(d_i) - r_i r_i'; None for r = 0."""

    def typical_curvature(self) -> float:
        """Return an eigenvalue of one row's Hessian that is typical: the scale of a preconditioner."""


@runtime_checkable
class DualLoss(SampleLoss, Protocol):
    """A loss whose conjugate is known: what a duality gap needs."""

    def dual_value(self, residual: Tensor, weights: Tensor) -> Tensor:
        """Return minus the weighted sum of the loss's conjugate at the unweighted residuals."""

    def balanced(self, residual: Tensor, weights: Tensor) -> Tensor:
        """Return feasible residuals near ``residual`` whose weighted sum is 0 in every column."""


@runtime_checkable
class LogLinearLoss(DualLoss, Protocol):
    """A loss lse(z) - y . z of labels y that are probabilities, whose residuals sum to 1 in size at most."""

    @property
    def baseline(self) -> bool:
        """Whether one more output, whose logit is 0, is in the log-sum-exp."""

    def labels(self, dtype: torch.dtype) -> Tensor:
        """Return y, (samples, outputs)."""


@runtime_checkable
class OnePass(Protocol):
    """A loss that goes over features and labels together, so that X is read from memory once for a gradient.

    A linear model uses it where its loss offers it, and multiplies by X twice where not. Each method takes the map to
    the logits, z = X W + b, and the weights of the rows in its dtype.
    """

    def value_over(self, features: Features, linear: Linear, weights: Tensor) -> Tensor:
        """Return sum_i w_i loss_i(z_i), a float64 scalar."""

    def slopes_over(self, features: Features, linear: Linear, weights: Tensor) -> tuple[Tensor, Slopes]:
        """Return the value and its derivative in W and b."""

    def curvature_over(self, features: Features, linear: Linear, weights: Tensor) -> Callable[[Linear], Slopes]:
        """Return the product with the Hessian in W and b."""

    def dual_points(self, features: Features, weights: Tensor, *, balanced: bool) -> Callable[[Linear], DualPoint]:
        """Return the map from (W, b) in float64 to a dual point near the residuals there; weights in float64.

        ``balanced`` asks for residuals whose weighted sum is 0 in every column, as a free intercept does.
        """


@runtime_checkable
class BoundedCurvature(SampleLoss, Protocol):
    """A loss whose gradient is Lipschitz continuous in the logits: not every loss, ``Poisson`` is none."""

    def curvature_bound(self) -> float:
        """Return an upper bound on the eigenvalues of one row's Hessian in the logits."""
