"""A loss over features a block of rows at a time: logits, residual and product, for any loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import torch

from gradus.kernels.portions import portion
from gradus.kernels.softmax_sweep import Linear, Slopes
from gradus.losses.dual import DualPoint, ResidualDual
from gradus.losses.passes import added
from gradus.losses.sample_loss import SampleLoss

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.losses.features import Features

Loss = TypeVar("Loss", bound=SampleLoss)

# logits held at a time: few and large blocks, because every start of the threads costs time
BLOCK_LOGITS = 2_097_152


class Block(NamedTuple, Generic[Loss]):
    """Some consecutive rows of the data."""

    features: Features
    loss: Loss
    weights: Tensor

    def logits(self, linear: Linear) -> Tensor:
        """Return X W + b, (samples, outputs)."""
        return self.features.times(linear.coefficients) + linear.offset

    def pull_back(self, residual: Tensor) -> Slopes:
        """Return X' R and 1' R."""
        return Slopes(self.features.transposed_times(residual), residual.sum(dim=0))


def blocks_of(features: Features, loss: Loss, weights: Tensor) -> list[Block[Loss]]:
    """Return the data in blocks of rows of at most ``BLOCK_LOGITS`` logits, on a GPU of more."""
    samples = features.shape[0]
    rows = max(portion(features.device, BLOCK_LOGITS) // loss.outputs, 1)
    if samples <= rows:
        return [Block(features, loss, weights)]
    bounds = [(start, min(start + rows, samples)) for start in range(0, samples, rows)]
    return [Block(features.rows(*bound), loss.rows(*bound), weights[slice(*bound)]) for bound in bounds]


@dataclass(frozen=True)
class Blockwise:
    """``OnePass`` for a loss that knows logits only: two products with X for a gradient."""

    loss: SampleLoss

    def value_over(self, features: Features, linear: Linear, weights: Tensor) -> Tensor:
        """Return sum_i w_i loss_i(z_i), a float64 scalar. One product with X."""
        blocks = self._blocks(features, weights)
        values = [block.loss.value_and_residual(block.logits(linear), block.weights)[0] for block in blocks]
        return torch.stack(values).sum()

    def slopes_over(self, features: Features, linear: Linear, weights: Tensor) -> tuple[Tensor, Slopes]:
        """Return the value and its derivative in W and b. Two products with X."""
        values, slopes = [], []
        for block in self._blocks(features, weights):
            value, residual = block.loss.value_and_residual(block.logits(linear), block.weights)
            values.append(value)
            slopes.append(block.pull_back(residual))
        return torch.stack(values).sum(), added(slopes)

    def curvature_over(self, features: Features, linear: Linear, weights: Tensor) -> Callable[[Linear], Slopes]:
        """Return the product with the Hessian in W and b. One product with X now, two for each direction."""
        blocks = self._blocks(features, weights)
        products = [block.loss.curvature(block.logits(linear), block.weights) for block in blocks]

        def product(direction: Linear) -> Slopes:
            pairs = zip(blocks, products, strict=True)
            return added([block.pull_back(along(block.logits(direction))) for block, along in pairs])

        return product

    def dual_points(self, features: Features, weights: Tensor, *, balanced: bool) -> Callable[[Linear], DualPoint]:
        """Return the map from (W, b) to a dual point near the residuals there. Two products with X for each."""
        blocks = blocks_of(features, self.loss, weights)
        return lambda linear: ResidualDual.at(self.loss, blocks, linear, balanced=balanced)

    def _blocks(self, features: Features, weights: Tensor) -> list[Block[SampleLoss]]:
        return blocks_of(features, self.loss.to(weights.dtype), weights)
