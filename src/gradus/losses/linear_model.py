"""A loss on top of a linear model: the smooth function of softmax regression, least squares and their kin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import torch

from gradus.core.errors import InputError
from gradus.losses.hessian import hessian_among
from gradus.losses.sample_loss import SampleLoss

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.losses.features import Features

Loss = TypeVar("Loss", bound=SampleLoss)

# logits held at a time: few and large blocks, because every start of the threads costs more than a second read of X
BLOCK_LOGITS = 8_388_608


class Block(NamedTuple, Generic[Loss]):
    """Some consecutive rows of the data."""

    features: Features
    loss: Loss
    weights: Tensor


@dataclass(frozen=True)
class LinearModel(Generic[Loss]):
    """The function f(W, b) = sum_i w_i loss_i(beta (x_i - c)' W + b).

    A point is a matrix (features, outputs), or (features + 1, outputs) with the intercept b as its last row.

    Parameters
    ----------
    loss : the loss with its labels bound
    features : X, (samples, features)
    weights : w, (samples,), not negative, sum 1, in the dtype of the features
    intercept : whether the point has an intercept as its last row
    scale : beta, positive; the inverse of the temperature
    centre : c, (features,), or None for 0. With c the weighted mean of the features the curvature loses its largest
        eigenvalue, and a first-order method needs a fraction of the iterations; only the meaning of b changes

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
    centre: Tensor | None = None

    def __post_init__(self) -> None:
        samples = self.features.shape[0]
        if self.loss.samples != samples or self.weights.shape != (samples,):
            raise InputError(
                f"features has {samples} rows, the labels {self.loss.samples} and weights the shape "
                f"{tuple(self.weights.shape)}: give one label and one weight per row"
            )
        if self.weights.dtype != self.features.dtype:
            raise InputError(f"weights is {self.weights.dtype} and features {self.features.dtype}: give both one dtype")
        if self.centre is not None and not self.intercept:
            raise InputError("centre is given without an intercept, which would change the model: leave it None")

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of a point."""
        return self.features.shape[1] + int(self.intercept), self.loss.outputs

    @cached_property
    def blocks(self) -> list[Block[Loss]]:
        """The data in blocks of rows, so that the memory for logits is bounded."""
        samples = self.features.shape[0]
        rows = max(BLOCK_LOGITS // self.loss.outputs, 1)
        bounds = [(start, min(start + rows, samples)) for start in range(0, samples, rows)]
        return [
            Block(self.features.rows(*bound), self.loss.rows(*bound), self.weights[bound[0] : bound[1]])
            for bound in bounds
        ]

    def zeros(self) -> Tensor:
        """Return the point 0."""
        return torch.zeros(self.shape, dtype=self.features.dtype, device=self.features.device)

    def centred(self) -> LinearModel[Loss]:
        """Return the same model around the weighted mean of its features; without an intercept, itself."""
        if not self.intercept:
            return self
        mean = self.features.weighted_sums(self.weights)[0]
        return LinearModel(self.loss, self.features, self.weights, True, self.scale, mean)

    def uncentred_point(self, point: Tensor) -> Tensor:
        """Return the point of the model without ``centre`` that has the logits of ``point`` here."""
        return self._shifted(point, -1.0)

    def centred_point(self, point: Tensor) -> Tensor:
        """Return the point of this model that has the logits of ``point`` in the model without ``centre``."""
        return self._shifted(point, 1.0)

    def _shifted(self, point: Tensor, sign: float) -> Tensor:
        if self.centre is None:
            return point
        intercept = point[-1] + sign * self.scale * (self.centre.to(point.dtype) @ point[:-1])
        return torch.cat([point[:-1], intercept[None]])

    def logits(self, point: Tensor, features: Features) -> Tensor:
        """Return beta (X - 1 c') W + b for the rows of ``features``, (samples, outputs)."""
        if not self.intercept:
            return features.times(point * self.scale)
        return features.times(point[:-1] * self.scale) + self.uncentred_point(point)[-1]

    def pull_back(self, residual: Tensor, features: Features) -> Tensor:
        """Return the gradient that a derivative R in the logits makes: beta (X - 1 c')' R, and 1' R below it."""
        slopes = self.scale * features.transposed_times(residual)
        if not self.intercept:
            return slopes.contiguous()
        total = residual.sum(dim=0, keepdim=True)
        if self.centre is not None:
            slopes = slopes - self.scale * self.centre.to(total.dtype)[:, None] * total
        return torch.cat([slopes, total])

    def squared_norms(self) -> Tensor:
        """Return beta^2 sum_i w_i (x_ij - c_j)^2 of each feature, (features,), float64."""
        mean, squares = (sums.double() for sums in self.features.weighted_sums(self.weights))
        if self.centre is not None:
            centre = self.centre.double()
            squares = (squares - 2 * centre * mean + centre.square()).clamp_min(0.0)
        return self.scale**2 * squares

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

    def hessian_among(self, point: Tensor, entries: Tensor, samples: int) -> Tensor:
        """Return the Hessian at ``point`` among some of its entries; see ``gradus.losses.hessian``."""
        return hessian_among(self, point, entries, samples)
