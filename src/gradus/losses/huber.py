"""Squares of small errors and absolute values of large ones, as a function of the predictions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.core.devices import require_one_device
from gradus.core.errors import InputError
from gradus.losses.targets import targets_checked

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from torch import Tensor


@dataclass(frozen=True)
class HuberLoss:
    """The loss e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2), of each error e = z - y.

    (``gradus.penalties.Huber`` is the same function of weights.)

    Parameters
    ----------
    targets : (samples, outputs), floating point
    delta : positive; errors beyond it are outliers

    Raises
    ------
    InputError : if the targets are no matrix of finite numbers, or ``delta`` is not positive

    References
    ----------
    Huber 1964, Robust estimation of a location parameter

    Examples
    --------
    >>> import torch
    >>> loss = HuberLoss(torch.tensor([[0.0], [0.0]]), delta=1.0)
    >>> value, residual = loss.value_and_residual(torch.tensor([[0.5], [3.0]]), torch.tensor([1.0, 1.0]))
    >>> value.item(), residual.tolist()
    (2.625, [[0.5], [1.0]])
    """

    targets: Tensor
    delta: float = 1.0

    def __post_init__(self) -> None:
        targets_checked("HuberLoss", self.targets)
        if not (self.delta > 0 and math.isfinite(self.delta)):
            raise InputError(f"HuberLoss's delta is {self.delta}; expected a finite number > 0")

    @property
    def outputs(self) -> int:
        """Columns of the predictions."""
        return self.targets.shape[1]

    @property
    def samples(self) -> int:
        """Rows of the predictions."""
        return self.targets.shape[0]

    def rows(self, start: int, stop: int, step: int = 1) -> HuberLoss:
        """Return the same loss on every ``step``-th row from ``start`` to before ``stop``."""
        return HuberLoss(self.targets[start:stop:step], self.delta)

    def taken(self, positions: Tensor) -> HuberLoss:
        """Return the same loss on the rows at ``positions``."""
        return HuberLoss(self.targets[positions], self.delta)

    def to(self, dtype: torch.dtype) -> HuberLoss:
        """Return the same loss with targets in ``dtype``."""
        return self if self.targets.dtype == dtype else HuberLoss(self.targets.to(dtype), self.delta)

    def value_and_residual(self, logits: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return sum_i w_i loss_i (float64 scalar) and its derivative, the errors clipped to [-delta, delta]."""
        require_one_device(logits=logits, targets=self.targets, weights=weights)
        error = logits - self.targets
        clipped = error.clamp(-self.delta, self.delta)
        each = clipped.double() * (error.double() - 0.5 * clipped.double())
        return (weights.double()[:, None] * each).sum(), clipped * weights[:, None]

    def curvature(self, logits: Tensor, weights: Tensor) -> Callable[[Tensor], Tensor]:
        """Return d -> w d where the error is within delta, else 0."""
        bend, _ = self.curvature_parts(logits, weights)
        return lambda direction: bend * direction

    def curvature_parts(self, logits: Tensor, weights: Tensor) -> tuple[Tensor, None]:
        """Return d = w where the error is within delta, else 0, and no r: the Hessian of each row is diag(d)."""
        return weights[:, None] * ((logits - self.targets).abs() <= self.delta), None

    def curvature_bound(self) -> float:
        """Return the largest second derivative, 1."""
        return 1.0

    def typical_curvature(self) -> float:
        """Return the second derivative at an error of 0, 1."""
        return 1.0

    def dual_value(self, residual: Tensor, weights: Tensor) -> Tensor:
        """Return -sum_i w_i (r_i^2 / 2 + r_i y_i), for |r_i| <= delta: minus the conjugate at the residuals r."""
        targets = self.targets.to(residual.dtype)
        return -((0.5 * residual.square() + residual * targets).sum(dim=1) * weights).sum()

    def balanced(self, residual: Tensor, weights: Tensor) -> Tensor:
        """Return ``residual`` less its weighted mean, shrunk so that it stays within delta."""
        centred = residual - (weights @ residual) / weights.sum()
        largest = centred.abs().amax(dim=0)
        shrunk: Tensor = centred * (self.delta / largest.clamp_min(self.delta))
        return shrunk
