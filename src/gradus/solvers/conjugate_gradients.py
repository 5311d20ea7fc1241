"""A quadratic model minimised roughly, and no farther away than it is trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

from gradus.solvers.composite import inner

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

# curvature along a direction relative to the preconditioner's, in units of the dtype's epsilon, that is only rounding
FLAT = 4.0


class Descent(NamedTuple):
    """What to subtract from the point, and what the model says of it.

    Attributes
    ----------
    move : x, near the solution of Hessian x = gradient
    promise : g . x - x . H x / 2, by how much the model falls
    length : of x in the norm of the preconditioner's inverse
    at_edge : whether the bound on the length ended the search
    """

    move: Tensor
    promise: float
    length: float
    at_edge: bool


@dataclass(frozen=True)
class ConjugateGradients:
    """Preconditioned conjugate gradients inside a ball, in the norm of the preconditioner's inverse.

    The iterates move away from 0 all the time, so the first that would leave the ball is cut at its edge.

    Parameters
    ----------
    precondition : an approximate inverse Hessian, symmetric positive definite
    tolerance : the residual that ends the search, relative to the gradient, both in the norm of ``precondition``
    most : Hessian products, positive
    enough : tells of a residual, which is about the gradient to come, that no smaller one is of use; None of none

    References
    ----------
    Nocedal & Wright 2006, Numerical Optimization, algorithm 7.2 (Steihaug)
    """

    precondition: Callable[[Tensor], Tensor]
    tolerance: float
    most: int
    enough: Callable[[Tensor], bool] | None = None

    def descent(self, hessian: Callable[[Tensor], Tensor], gradient: Tensor, radius: float) -> Descent:
        """Return the descent for a gradient that is not 0; ``radius`` is positive and may be infinite."""
        move, residual = torch.zeros_like(gradient), gradient
        direction = self.precondition(residual)
        product = first = inner(residual, direction)
        # of the move x and the direction d in the norm: |x|^2, x . d, |d|^2
        square, across, along = 0.0, 0.0, product
        for _ in range(self.most):
            bent = hessian(direction)
            bend = inner(direction, bent)
            flat = bend <= FLAT * torch.finfo(gradient.dtype).eps * product
            length = math.inf if flat else product / bend
            reached = square + length * (2 * across + length * along) if length < math.inf else math.inf
            if reached >= radius**2 and radius < math.inf:
                length = (math.sqrt(across**2 + along * (radius**2 - square)) - across) / along
                return _descent(move + length * direction, residual - length * bent, gradient, radius, at_edge=True)
            if flat:
                # a convex function may be flat along the direction: what has been found so far stands
                move = move if square else direction
                break
            move, residual, square = move + length * direction, residual - length * bent, reached
            conditioned = self.precondition(residual)
            previous, product = product, inner(residual, conditioned)
            if product <= self.tolerance**2 * first or (self.enough is not None and self.enough(residual)):
                break
            ratio = product / previous
            direction = conditioned + ratio * direction
            across, along = ratio * (across + length * along), product + ratio**2 * along
        return _descent(move, residual, gradient, math.sqrt(square or along), at_edge=False)


def _descent(move: Tensor, residual: Tensor, gradient: Tensor, length: float, *, at_edge: bool) -> Descent:
    return Descent(move, 0.5 * (inner(gradient, move) + inner(residual, move)), length, at_edge)
