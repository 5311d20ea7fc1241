"""An approximate inverse Hessian of a linear model that is cheap to apply, for solvers to start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch

from gradus.kernels.skinny_product import product

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.losses.linear_model import LinearModel

# rows from which the Gram matrix is estimated: more rows change the number of iterations little
GRAM_ROWS = 16_384
# added to the diagonal, relative to its mean, so that directions without data stay bounded
JITTER = 1e-7


class Preconditioner(Protocol):
    """A symmetric positive definite map close to the inverse Hessian."""

    def __call__(self, gradient: Tensor) -> Tensor:
        """Return the map's value, in the shape and dtype of ``gradient``."""


@dataclass(frozen=True)
class CholeskyPreconditioner:
    """One features x features system for all outputs: v -> (c beta^2 X' Omega X + ridge)^-1 v.

    Boehning's bound says Hessian <= beta^2 / 2 (I - 11'/K) (x) X' Omega X. c is half of the curvature at uniform
    probabilities instead of 1/2, because the balance between data and ridge is what decides how well it works.
    Where there is an intercept, X has a column of ones and no ridge on it.
    """

    inverse: Tensor

    @classmethod
    def of(cls, model: LinearModel[Any], ridge: float) -> CholeskyPreconditioner:
        """Return the preconditioner of ``model`` plus ridge / 2 |W|^2.

        Cost: rows x features^2 for 16,384 to 32,768 evenly spaced rows, then features^3.
        """
        samples = model.features.shape[0]
        stride = max(samples // GRAM_ROWS, 1)
        features = model.features.rows(0, samples, stride)
        weights = model.weights[::stride]
        weights = weights / weights.sum().clamp_min(torch.finfo(weights.dtype).tiny)
        matrix = _bordered(model, features.gram(weights), features.weighted_sums(weights)[0])
        matrix *= 0.5 * model.loss.typical_curvature()
        jitter = JITTER * matrix.diagonal().mean().clamp_min(torch.finfo(torch.float32).tiny)
        matrix.diagonal().add_(jitter)
        matrix.diagonal()[: features.shape[1]].add_(ridge)
        # in float64: rounding the inverse to float32 could lose its positive definiteness
        return cls(torch.cholesky_inverse(torch.linalg.cholesky(matrix)).contiguous())

    def __call__(self, gradient: Tensor) -> Tensor:
        """Return the solution of the system for a gradient of the point's shape."""
        return product(self.inverse, gradient.double()).to(gradient.dtype)


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


def _bordered(model: LinearModel[Any], gram: Tensor, sums: Tensor) -> Tensor:
    """Return beta^2 X' Omega X in float64, with the border that a column of ones adds; the weights sum to 1."""
    gram, sums = gram.double(), sums.double()
    if model.centre is not None:
        centre = model.centre.double()
        gram = gram - torch.outer(centre, sums) - torch.outer(sums, centre) + torch.outer(centre, centre)
        sums = sums - centre
    gram = gram * model.scale**2
    if not model.intercept:
        return gram
    border = sums[:, None] * model.scale
    corner = torch.ones(1, 1, dtype=torch.float64, device=gram.device)
    return torch.cat([torch.cat([gram, border], dim=1), torch.cat([border.t(), corner], dim=1)])
