"""An approximate inverse Hessian of a linear model that is cheap to apply, for solvers to start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch

from gradus.losses.overflow import squares_checked
from gradus.losses.sampling import curvatures, evenly_spaced

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.losses.linear_model import LinearModel

# rows from which the Gram matrix is estimated: 2,048 rows cost a quarter more Hessian products on MNIST, 8,192 few less
GRAM_ROWS = 4096
# rounding error of a Gram matrix's eigenvalues in units of the dtype's epsilon and its trace
ROUNDING = 2.0


class Preconditioner(Protocol):
    """A symmetric positive definite map close to the inverse Hessian."""

    def __call__(self, gradient: Tensor) -> Tensor:
        """Return the map's value, in the shape and dtype of ``gradient``."""


@dataclass(frozen=True)
class CholeskyPreconditioner:
    """One features x features system for all outputs: (X - m)' diag(w h) (X - m) + ridge, and the intercept apart.

    h_i is the mean curvature of row i's loss in the logits at the point, and m the mean of the rows with the weights
    w_i h_i: around it slopes and intercept do not mix, so that neither can spoil the other's rounding.
    """

    inverse: Tensor
    mean: Tensor
    total: float
    intercept: bool

    @classmethod
    def at(cls, model: LinearModel[Any], point: Tensor, ridge: float) -> CholeskyPreconditioner:
        """Return the preconditioner of ``model`` plus ridge / 2 |W|^2 around ``point``.

        Cost: rows x features^2 for 4,096 to 8,192 evenly spaced rows, then features^3.
        """
        some = evenly_spaced(model, GRAM_ROWS)
        features = some.features
        weights = (some.weights * model.weights.sum()) * curvatures(some, point).to(some.weights.dtype)
        total = max(float(weights.sum()), torch.finfo(weights.dtype).tiny)
        matrix, mean = (
            features.gram(weights).double(),
            features.transposed_times(weights[:, None])[:, 0].double() / total,
        )
        # what rounding can take from the eigenvalues, and a little for directions without data
        jitter = ROUNDING * torch.finfo(weights.dtype).eps * matrix.diagonal().sum() + torch.finfo(torch.float32).tiny
        squares_checked(float(jitter), features.dtype)
        if model.intercept:
            matrix.addr_(mean, mean, alpha=-total)
            mean = model.scale * (mean if model.centre is None else mean - model.centre.double())
        matrix *= model.scale**2
        matrix.diagonal().add_(model.scale**2 * jitter + ridge)
        # in float64: rounding the inverse to float32 could lose its positive definiteness. In place: these matrices may
        # be as large as the data
        matrix = torch.linalg.cholesky(matrix, out=matrix if matrix.device.type == "cpu" else None)
        inverse = torch.cholesky_inverse(matrix).contiguous()
        return cls(inverse, mean, total, model.intercept)

    def __call__(self, gradient: Tensor) -> Tensor:
        """Return the solution of the system for a gradient of the point's shape."""
        values = gradient.double()
        if not self.intercept:
            return (self.inverse @ values).to(gradient.dtype)
        slopes = self.inverse @ (values[:-1] - torch.outer(self.mean, values[-1]))
        intercept = values[-1] / self.total - self.mean @ slopes
        return torch.cat([slopes, intercept[None]]).to(gradient.dtype)


@dataclass(frozen=True)
class DiagonalPreconditioner:
    """The same with the diagonal of X' Omega X alone, for many features."""

    inverse: Tensor

    @classmethod
    def of(cls, model: LinearModel[Any], ridge: float) -> DiagonalPreconditioner:
        """Return the preconditioner of ``model`` plus ridge / 2 |W|^2. Cost: one pass over X."""
        squares = model.squared_norms()
        if model.intercept:
            squares = torch.cat([squares, model.weights.double().sum()[None]])
        diagonal = 0.5 * model.loss.typical_curvature() * squares
        diagonal += 1e-3 * diagonal.mean().clamp_min(torch.finfo(torch.float32).tiny)
        diagonal[: model.features.shape[1]] += ridge
        return cls(diagonal.reciprocal()[:, None].to(model.features.dtype))

    def __call__(self, gradient: Tensor) -> Tensor:
        """Return the gradient divided by the diagonal."""
        return gradient * self.inverse
