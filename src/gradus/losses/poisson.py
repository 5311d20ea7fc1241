"""The deviance of counts under a logarithmic link, as a function of the logarithm of the rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.core.devices import require_one_device
from gradus.losses.targets import targets_checked

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


@dataclass(frozen=True)
class Poisson:
    """Half the deviance exp(z) - y z - (y - y log y) of each count y against the logarithm z of its rate; never < 0.

    Its second derivative exp(z) has no bound, so that there is no ``curvature_bound``: solvers must search for their
    steps. Beyond z = 709 (88 in float32) it is infinite, which they take for a step that was too long.

    Parameters
    ----------
    targets : (samples, outputs), floating point, not negative

    Raises
    ------
    InputError : if the targets are no matrix of finite numbers >= 0

    References
    ----------
    McCullagh & Nelder 1989, Generalized Linear Models, section 6.2

    Examples
    --------
    >>> loss = Poisson(torch.tensor([[1.0], [0.0]]))
    >>> value, residual = loss.value_and_residual(torch.zeros(2, 1), torch.tensor([0.5, 0.5]))
    >>> value.item(), residual.tolist()
    (0.5, [[0.0], [0.5]])
    """

    targets: Tensor

    def __post_init__(self) -> None:
        targets_checked("Poisson", self.targets, lowest=0.0)

    @property
    def outputs(self) -> int:
        """Columns of the predictions."""
        return self.targets.shape[1]

    @property
    def samples(self) -> int:
        """Rows of the predictions."""
        return self.targets.shape[0]

    def rows(self, start: int, stop: int, step: int = 1) -> Poisson:
        """Return the same loss on every ``step``-th row from ``start`` to before ``stop``."""
        return Poisson(self.targets[start:stop:step])

    def taken(self, positions: Tensor) -> Poisson:
        """Return the same loss on the rows at ``positions``."""
        return Poisson(self.targets[positions])

    def to(self, dtype: torch.dtype) -> Poisson:
        """Return the same loss with targets in ``dtype``."""
        return self if self.targets.dtype == dtype else Poisson(self.targets.to(dtype))

    def value_and_residual(self, logits: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return sum_i w_i loss_i (float64 scalar) and its derivative w_i (exp(z_i) - y_i)."""
        require_one_device(logits=logits, targets=self.targets, weights=weights)
        rates = torch.exp(logits)
        targets = self.targets.double()
        each = rates.double() - targets * logits.double() + _least(targets)
        return (weights.double()[:, None] * each).sum(), (rates - self.targets) * weights[:, None]

    def curvature(self, logits: Tensor, weights: Tensor) -> Callable[[Tensor], Tensor]:
        """Return d -> w exp(z) d."""
        bend, _ = self.curvature_parts(logits, weights)
        return lambda direction: bend * direction

    def curvature_parts(self, logits: Tensor, weights: Tensor) -> tuple[Tensor, None]:
        """Return d = w exp(z), and no r: the Hessian of each row is diag(d)."""
        return weights[:, None] * torch.exp(logits), None

    def typical_curvature(self) -> float:
        """Return the mean of the targets: the second derivative where the rate is the same for all samples."""
        return max(self.targets.double().mean().item(), 1e-6) if self.targets.numel() else 1.0

    def dual_value(self, residual: Tensor, weights: Tensor) -> Tensor:
        """Return sum_i w_i (q - q log q - y + y log y), q = y + r >= 0: minus the conjugate at the residuals r."""
        targets = self.targets.to(residual.dtype)
        each = _least(targets) - _least((targets + residual).clamp_min(0.0))
        return (each.sum(dim=1) * weights).sum()

    def balanced(self, residual: Tensor, weights: Tensor) -> Tensor:
        """Return the residuals of the rates, scaled so that their weighted sum is that of the targets."""
        targets = self.targets.to(residual.dtype)
        rates = targets + residual
        return rates * ((weights @ targets) / (weights @ rates).clamp_min(torch.finfo(rates.dtype).tiny)) - targets


def _least(targets: Tensor) -> Tensor:
    """Return y log y - y."""
    return torch.xlogy(targets, targets) - targets
