"""A loss on top of a linear model: the smooth function of softmax regression, least squares and their kin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import torch

from gradus.core.errors import InputError
from gradus.losses.sample_loss import SampleLoss

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.losses.features import Features

Loss = TypeVar("Loss", bound=SampleLoss)

# rows of X that a pass multiplies while they are in the cache: X is read once for both of its products
BLOCK_ROWS = 8192


class Block(NamedTuple, Generic[Loss]):
    """Some consecutive rows of the data."""

    features: Features
    loss: Loss
    weights: Tensor


@dataclass(frozen=True)
class LinearModel(Generic[Loss]):
    """The function f(W, b) = sum_i w_i loss_i(beta x_i' W + b).

    A point is a matrix (features, outputs), or (features + 1, outputs) with the intercept b as its last row.

    Parameters
    ----------
    loss : the loss with its labels bound
    features : X, (samples, features)
    weights : w, (samples,), not negative, sum 1, in the dtype of the features
    intercept : whether the point has an intercept as its last row
    scale : beta, positive; the inverse of the temperature

    Examples
    --------
    >>> from gradus.losses import CrossEntropy, DenseFeatures
    >>> loss = CrossEntropy(torch.tensor([0, 1]), classes=2)
    >>> model = LinearModel(loss, DenseFeatures(torch.eye(2)), torch.tensor([0.5, 0.5]))
    >>> value, gradient = model.value_and_gradient(torch.zeros(3, 2))
    >>> round(value.item(), 6), gradient.tolist()
    (0.693147, [[-0.25, 0.25], [0.25, -0.25], [0.0, 0.0]])
    """

    loss: Loss
    features: Features
    weights: Tensor
    intercept: bool = True
    scale: float = 1.0

    def __post_init__(self) -> None:
        samples = self.features.shape[0]
        if self.loss.samples != samples or self.weights.shape != (samples,):
            raise InputError(
                f"features has {samples} rows, the labels {self.loss.samples} and weights the shape "
                f"{tuple(self.weights.shape)}: give one label and one weight per row"
            )
        if self.weights.dtype != self.features.dtype:
            raise InputError(f"weights is {self.weights.dtype} and features {self.features.dtype}: give both one dtype")

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of a point."""
        return self.features.shape[1] + int(self.intercept), self.loss.outputs

    @cached_property
    def blocks(self) -> list[Block[Loss]]:
        """The data in blocks of rows that fit the cache."""
        samples = self.features.shape[0]
        bounds = [(start, min(start + BLOCK_ROWS, samples)) for start in range(0, samples, BLOCK_ROWS)]
        return [
            Block(self.features.rows(*bound), self.loss.rows(*bound), self.weights[bound[0] : bound[1]])
            for bound in bounds
        ]

    def zeros(self) -> Tensor:
        """Return the point 0."""
        return torch.zeros(self.shape, dtype=self.features.dtype, device=self.features.device)

    def to(self, dtype: torch.dtype) -> LinearModel[Loss]:
        """Return the same function computed in ``dtype``."""
        return LinearModel(
            self.loss.to(dtype), self.features.to(dtype), self.weights.to(dtype), self.intercept, self.scale
        )

    def logits(self, point: Tensor, features: Features) -> Tensor:
        """Return beta X W + b for the rows of ``features``, (samples, outputs)."""
        if not self.intercept:
            return features.times(point * self.scale)
        return features.times(point[:-1] * self.scale) + point[-1]

    def pull_back(self, residual: Tensor, features: Features) -> Tensor:
        """Return the gradient in the point that a derivative in the logits makes: beta X' R, and 1' R below it."""
        slopes = self.scale * features.transposed_times(residual)
        return torch.cat([slopes, residual.sum(dim=0, keepdim=True)]) if self.intercept else slopes.contiguous()

    def value(self, point: Tensor) -> Tensor:
        """Return f(point), a float64 scalar. One product with X."""
        values = [
            block.loss.value_and_residual(self.logits(point, block.features), block.weights)[0] for block in self.blocks
        ]
        return torch.stack(values).sum()

    def value_and_gradient(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return f(point), a float64 scalar, and the gradient. One pass over X, two products with it."""
        values, gradient = [], torch.zeros_like(point)
        for block in self.blocks:
            value, residual = block.loss.value_and_residual(self.logits(point, block.features), block.weights)
            values.append(value)
            gradient += self.pull_back(residual, block.features)
        return torch.stack(values).sum(), gradient

    def curvature(self, point: Tensor) -> Callable[[Tensor], Tensor]:
        """Return v -> Hessian(point) v. One product with X now, two for each v."""
        products = [block.loss.curvature(self.logits(point, block.features), block.weights) for block in self.blocks]

        def product(direction: Tensor) -> Tensor:
            result = torch.zeros_like(direction)
            for block, along in zip(self.blocks, products, strict=True):
                result += self.pull_back(along(self.logits(direction, block.features)), block.features)
            return result

        return product
