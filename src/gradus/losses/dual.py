"""Feasible dual points of a linear model: what a duality gap is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch

from gradus.core.errors import InputError
from gradus.losses.sample_loss import DualLoss, SampleLoss

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.softmax_sweep import Linear
    from gradus.losses.blockwise import Block


class Mixed(NamedTuple):
    """A dual point whose value is known at once, and which is nearly as good where the intercept is nearly balanced.

    Attributes
    ----------
    value : at most minus the weighted sum of the loss's conjugate, a float64 scalar
    slopes : X' Omega R, (features, outputs), float64
    """

    value: Tensor
    slopes: Tensor


class DualPoint(Protocol):
    """Residuals r_i in the domain of the loss's conjugate, and so is s r_i for s in [0, 1]."""

    @property
    def loss(self) -> Tensor:
        """The loss at the point that the residuals were taken at, a float64 scalar."""

    @property
    def slopes(self) -> Tensor:
        """X' Omega R, (features, outputs), float64."""

    def values(self, scales: list[float]) -> Tensor:
        """Return minus the weighted sum of the loss's conjugate at s r_i for each s, (scales,), float64."""

    def mixed(self) -> Mixed | None:
        """Return another dual point whose value takes no pass; None where ``values`` takes none either."""


@dataclass(frozen=True)
class ResidualDual:
    """The dual point of residuals that are held in memory, for any loss with a conjugate.

    Attributes
    ----------
    weights : (samples,), float64
    """

    loss_of_rows: DualLoss
    weights: Tensor
    loss: Tensor
    slopes: Tensor
    residual: Tensor

    def values(self, scales: list[float]) -> Tensor:
        """Return minus the weighted sum of the loss's conjugate at s r_i for each s."""
        return torch.stack([self.loss_of_rows.dual_value(scale * self.residual, self.weights) for scale in scales])

    def mixed(self) -> Mixed | None:
        """Return None: the residuals are at hand."""
        return None

    @classmethod
    def at(cls, loss: SampleLoss, blocks: list[Block[SampleLoss]], linear: Linear, *, balanced: bool) -> ResidualDual:
        """Return the residuals at the logits X W + b, made feasible for a free intercept where ``balanced``.

        Two products with X, and one number per sample and output of memory.
        """
        if not isinstance(loss, DualLoss):
            raise InputError(
                f"{type(loss).__name__} has no dual_value and balanced, so there is no duality gap: use Stationarity"
            )
        values, residuals = [], []
        for block in blocks:
            logits, wide = block.logits(linear), block.loss.to(torch.float64)
            values.append(wide.value_and_residual(logits, block.weights)[0])
            residuals.append(wide.value_and_residual(logits, torch.ones_like(block.weights))[1])
        residual, weights = torch.cat(residuals), torch.cat([block.weights for block in blocks])
        if balanced:
            residual = loss.balanced(residual, weights)
        pieces = torch.split(residual * weights[:, None], [len(block.weights) for block in blocks])
        slopes = [block.features.transposed_times(piece) for block, piece in zip(blocks, pieces, strict=True)]
        return cls(loss, weights, torch.stack(values).sum(), torch.stack(slopes).sum(dim=0), residual)
