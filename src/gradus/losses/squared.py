"""Squared error, as a function of the predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.core.devices import require_one_device

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Squared:
    """The loss |z - y|^2 / 2 of each row of predictions z against its target y.

    Parameters
    ----------
    targets : (samples, outputs), floating point

    Examples
    --------
    >>> import torch
    >>> loss = Squared(torch.tensor([[1.0], [3.0]]))
    >>> value, residual = loss.value_and_residual(torch.zeros(2, 1), torch.tensor([0.5, 0.5]))
    >>> value.item(), residual.tolist()
    (2.5, [[-0.5], [-1.5]])
    """

    targets: Tensor

    @property
    def outputs(self) -> int:
        """Columns of the predictions."""
        return self.targets.shape[1]

    @property
    def samples(self) -> int:
        """Rows of the predictions."""
        return self.targets.shape[0]

    def rows(self, start: int, stop: int, step: int = 1) -> Squared:
        """Return the same loss on every ``step``-th row from ``start`` to before ``stop``."""
        return Squared(self.targets[start:stop:step])

    def taken(self, positions: Tensor) -> Squared:
        """Return the same loss on the rows at ``positions``."""
        return Squared(self.targets[positions])

    def to(self, dtype: torch.dtype) -> Squared:
        """Return the same loss with targets in ``dtype``."""
        return self if self.targets.dtype == dtype else Squared(self.targets.to(dtype))

    def value_and_residual(self, logits: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return sum_i w_i |z_i - y_i|^2 / 2 (float64 scalar) and its derivative w_i (z_i - y_i)."""
        require_one_device(logits=logits, targets=self.targets, weights=weights)
        residual = logits - self.targets
        value = 0.5 * (weights.double()[:, None] * residual.double().square()).sum()
        return value, residual * weights[:, None]

    def curvature(self, logits: Tensor, weights: Tensor) -> Callable[[Tensor], Tensor]:
        """Return s -> w_i s_i: the Hessian in the predictions is the identity."""
        return lambda direction: weights[:, None] * direction

    def curvature_parts(self, logits: Tensor, weights: Tensor) -> tuple[Tensor, None]:
        """Return d_i = w_i and no r: the Hessian in the predictions is the identity."""
        return weights[:, None].expand(logits.shape), None

    def curvature_bound(self) -> float:
        """Return the largest eigenvalue of the Hessian in the predictions of one row, 1."""
        return 1.0

    def typical_curvature(self) -> float:
        """Return the Hessian's eigenvalue in the predictions, 1 everywhere."""
        return 1.0

    def dual_value(self, residual: Tensor, weights: Tensor) -> Tensor:
        """Return -sum_i w_i (|r_i|^2 / 2 + r_i . y_i): minus the conjugate of the loss at the residuals r."""
        targets = self.targets.to(residual.dtype)
        return -((0.5 * residual.square() + residual * targets).sum(dim=1) * weights).sum()

    def balanced(self, residual: Tensor, weights: Tensor) -> Tensor:
        """Return ``residual`` less its weighted mean: what a free intercept asks of a dual point."""
        return residual - (weights @ residual) / weights.sum()
