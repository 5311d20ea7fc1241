"""A loss on top of a linear model: the smooth function of softmax regression, least squares and their kin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

import torch

from gradus.core import unwritten
from gradus.core.errors import InputError
from gradus.kernels.softmax_sweep import Linear, Slopes
from gradus.losses.blockwise import Block, Blockwise, blocks_of
from gradus.losses.hessian import hessian_among
from gradus.losses.hessian_factors import hessian_factors
from gradus.losses.overflow import squares_checked
from gradus.losses.sample_loss import BoundedCurvature, OnePass, SampleLoss
from gradus.losses.sampling import sampled

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.losses.dual import DualPoint
    from gradus.losses.features import Features

Loss = TypeVar("Loss", bound=SampleLoss)


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
        if self.weights.device != self.features.device:
            raise InputError(
                f"weights is on {self.weights.device} and features on {self.features.device}: move one to the other"
            )
        if self.centre is not None and not self.intercept:
            raise InputError("centre is given without an intercept, which would change the model: leave it None")

    @property
    def samples(self) -> int:
        """Rows of the data."""
        return self.features.shape[0]

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of a point."""
        return self.features.shape[1] + int(self.intercept), self.loss.outputs

    @cached_property
    def blocks(self) -> list[Block[Loss]]:
        """The data in blocks of rows, so that the memory for logits is bounded."""
        return blocks_of(self.features, self.loss, self.weights)

    def zeros(self) -> Tensor:
        """Return the point 0."""
        return unwritten.zeros(self.shape, self.features.dtype, self.features.device)

    def centred(self) -> LinearModel[Loss]:
        """Return the same model around the weighted mean of its features; without an intercept, itself."""
        if not self.intercept:
            return self
        mean = self.features.transposed_times(self.weights[:, None])[:, 0].contiguous()
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
        weights, centre = point[:-1], self.centre.to(point.dtype)
        return torch.cat([weights, torch.addmm(point[-1:], centre[None], weights, alpha=sign * self.scale)])

    def linear(self, point: Tensor) -> Linear:
        """Return the map from a row of X to its logits."""
        weights = point[:-1] if self.intercept else point
        offset = self.uncentred_point(point)[-1] if self.intercept else point.new_zeros(self.loss.outputs)
        # not copied where nothing changes: of sparse features the weights may be larger than the data
        return Linear(weights if self.scale == 1.0 else weights * self.scale, offset)

    def logits(self, point: Tensor, features: Features) -> Tensor:
        """Return beta (X - 1 c') W + b for the rows of ``features``, (samples, outputs)."""
        coefficients, offset = self.linear(point)
        return features.times(coefficients) + offset

    def pull_back(self, residual: Tensor, features: Features) -> Tensor:
        """Return the gradient that a derivative R in the logits makes: beta (X - 1 c')' R, and 1' R below it."""
        return self.gradient(Slopes(features.transposed_times(residual), residual.sum(dim=0)))

    def gradient(self, slopes: Slopes) -> Tensor:
        """Return the gradient at a point from the derivative in what ``linear`` makes of it."""
        own = self.scale * slopes.slopes
        if not self.intercept:
            return own.contiguous()
        if self.centre is not None:
            own = own - self.scale * torch.outer(self.centre.to(own.dtype), slopes.totals)
        return torch.cat([own, slopes.totals[None]])

    def squared_norms(self) -> Tensor:
        """Return beta^2 sum_i w_i (x_ij - c_j)^2 of each feature, (features,), float64.

        Raises
        ------
        InputError : if the squares overflow
        """
        mean, squares = (sums.double() for sums in self.features.weighted_sums(self.weights))
        if self.centre is not None:
            centre = self.centre.double()
            squares = (squares - 2 * centre * mean + centre.square()).clamp_min(0.0)
        squares = self.scale**2 * squares
        squares_checked(float(squares.sum()), self.features.dtype)
        return squares

    def curvature_bound(self) -> float:
        """Return an upper bound on the Hessian's eigenvalues anywhere: that of the loss times the trace of X' Omega X.

        Raises
        ------
        InputError : if the loss has none
        """
        if not isinstance(self.loss, BoundedCurvature):
            raise InputError(
                f"{type(self.loss).__name__} has no upper bound on its curvature, so that no step is safe beforehand: "
                "use a solver that searches for its step, without a bound"
            )
        return self.loss.curvature_bound() * (self.squared_norms().sum().item() + float(self.intercept))

    def value(self, point: Tensor) -> Tensor:
        """Return f(point), a float64 scalar. One pass over X."""
        return self.passes.value_over(self.features, self.linear(point), self.weights.to(point.dtype))

    def value_and_gradient(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return f(point), a float64 scalar, and the gradient. One pass over X.

        A float64 point of a float32 model is evaluated in float64, without a copy of X.
        """
        value, slopes = self.passes.slopes_over(self.features, self.linear(point), self.weights.to(point.dtype))
        return value, self.gradient(slopes)

    def curvature(self, point: Tensor) -> Callable[[Tensor], Tensor]:
        """Return v -> Hessian(point) v. One pass over X now and one for each v."""
        along = self.passes.curvature_over(self.features, self.linear(point), self.weights)
        return lambda direction: self.gradient(along(self.linear(direction)))

    @cached_property
    def passes(self) -> OnePass:
        """How the loss and X are gone through together."""
        return self.loss if isinstance(self.loss, OnePass) else Blockwise(self.loss)

    @cached_property
    def dual_points(self) -> Callable[[Linear], DualPoint]:
        """The map from (W, b) in float64 to a dual point, the same for every penalty."""
        return self.passes.dual_points(self.features, self.weights.double(), balanced=self.intercept)

    def sampled(self, point: Tensor, count: int) -> LinearModel[Loss]:
        """Return about ``count`` rows whose Hessian is near that of all; see ``gradus.losses.sampling``."""
        return self if count >= self.samples else sampled(self, point, count)

    def hessian_among(self, point: Tensor, entries: Tensor, samples: int) -> Tensor:
        """Return the Hessian at ``point`` among some of its entries; see ``gradus.losses.hessian``."""
        return hessian_among(self, point, entries, samples)

    def hessian_factors(self, point: Tensor, rows: Tensor, samples: int) -> tuple[Tensor, Tensor]:
        """Return the factors of a Kronecker product near the Hessian; see ``gradus.losses.hessian_factors``."""
        return hessian_factors(self, point, rows, samples)
