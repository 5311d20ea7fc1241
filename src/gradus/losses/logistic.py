"""Binary cross-entropy of one logit, as a function of the logit."""

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
class Logistic:
    """The loss log(1 + exp(z)) - y z of each logit z against its label y: of several outputs the sum (multi-label).

    Parameters
    ----------
    targets : (samples, outputs), floating point: 0, 1 or a probability between. Labels of -1 and 1 are (y + 1) / 2

    Raises
    ------
    InputError : if the targets are no matrix of numbers in [0, 1]

    Examples
    --------
    >>> loss = Logistic(torch.tensor([[1.0], [0.0]]))
    >>> value, residual = loss.value_and_residual(torch.zeros(2, 1), torch.tensor([0.5, 0.5]))
    >>> round(value.item(), 6), residual.tolist()
    (0.693147, [[-0.25], [0.25]])
    """

    targets: Tensor

    def __post_init__(self) -> None:
        targets_checked("Logistic", self.targets, 0.0, 1.0)

    @property
    def outputs(self) -> int:
        """Columns of the predictions."""
        return self.targets.shape[1]

    @property
    def samples(self) -> int:
        """Rows of the predictions."""
        return self.targets.shape[0]

    @property
    def baseline(self) -> bool:
        """Whether log(1 + exp(z)) is the log-sum-exp of z and 0: it is."""
        return True

    def rows(self, start: int, stop: int, step: int = 1) -> Logistic:
        """Return the same loss on every ``step``-th row from ``start`` to before ``stop``."""
        return Logistic(self.targets[start:stop:step])

    def taken(self, positions: Tensor) -> Logistic:
        """Return the same loss on the rows at ``positions``."""
        return Logistic(self.targets[positions])

    def to(self, dtype: torch.dtype) -> Logistic:
        """Return the same loss with targets in ``dtype``."""
        return self if self.targets.dtype == dtype else Logistic(self.targets.to(dtype))

    def value_and_residual(self, logits: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return sum_i w_i (max(z, 0) - y z + log(1 + exp(-|z|))) (float64 scalar) and its derivative.

        The derivative w ((1 - y) s(z) - y s(-z)), s the logistic function, has no cancellation where z is large.
        """
        require_one_device(logits=logits, targets=self.targets, weights=weights)
        each = logits.clamp_min(0.0) - self.targets * logits + torch.log1p(torch.exp(-logits.abs()))
        value = (weights.double()[:, None] * each.double()).sum()
        residual = (1.0 - self.targets) * torch.sigmoid(logits) - self.targets * torch.sigmoid(-logits)
        return value, residual * weights[:, None]

    def curvature(self, logits: Tensor, weights: Tensor) -> Callable[[Tensor], Tensor]:
        """Return d -> w s(z) s(-z) d."""
        bend, _ = self.curvature_parts(logits, weights)
        return lambda direction: bend * direction

    def curvature_parts(self, logits: Tensor, weights: Tensor) -> tuple[Tensor, None]:
        """Return d = w s(z) s(-z), and no r: the Hessian of each row is diag(d)."""
        return weights[:, None] * torch.sigmoid(logits) * torch.sigmoid(-logits), None

    def labels(self, dtype: torch.dtype) -> Tensor:
        """Return the targets in ``dtype``."""
        return self.targets.to(dtype)

    def curvature_bound(self) -> float:
        """Return the largest second derivative, 1/4 at z = 0."""
        return 0.25

    def typical_curvature(self) -> float:
        """Return the second derivative at z = 0, 1/4."""
        return 0.25

    def dual_value(self, residual: Tensor, weights: Tensor) -> Tensor:
        """Return sum_i w_i H(y + r), H(q) = -q log q - (1 - q) log(1 - q): minus the conjugate at the residuals r."""
        probabilities = (self.targets.to(residual.dtype) + residual).clamp(0.0, 1.0)
        entropies: Tensor = torch.special.entr(probabilities) + torch.special.entr(1.0 - probabilities)
        return (entropies.sum(dim=1) * weights).sum()

    def balanced(self, residual: Tensor, weights: Tensor) -> Tensor:
        """Return residuals near ``residual``, feasible for the dual, whose weighted sum is 0 in every column.

        Where the expected count exceeds the count of labels all probabilities of 1 are scaled down, else those of 0.
        """
        targets = self.targets.to(residual.dtype)
        ones, surplus = targets + residual, weights @ residual
        tiny = torch.finfo(residual.dtype).tiny
        fewer_ones = ones * (1.0 - surplus / (weights @ ones).clamp_min(tiny))
        fewer_zeros = 1.0 - (1.0 - ones) * (1.0 + surplus / (weights @ (1.0 - ones)).clamp_min(tiny))
        return torch.where(surplus > 0, fewer_ones, fewer_zeros) - targets
