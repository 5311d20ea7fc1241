"""Newton's method with the system solved roughly by preconditioned conjugate gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.core.protocols import TwiceSmooth
from gradus.solvers.composite import differentiable_penalty, inner, total_value_and_gradient
from gradus.solvers.line_search import Trial, WolfeSearch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.core.solution import Problem


@dataclass(frozen=True)
class NewtonState:
    """Point, value and gradient."""

    point: Tensor
    value: float
    gradient: Tensor
    first_residual: float
    halted: bool = False

    @property
    def residual(self) -> float:
        """Norm of the gradient."""
        return math.sqrt(inner(self.gradient, self.gradient))


@dataclass(frozen=True)
class NewtonCG:
    """Minimise a twice smooth function plus a smooth penalty by a truncated Newton method.

    The Newton system is solved to min(0.5, sqrt(|g| / |g_0|)) of the gradient's norm, so convergence is superlinear
    while early systems stay cheap. Each step of the inner solve is one Hessian product.

    Parameters
    ----------
    precondition : an approximate inverse Hessian, symmetric positive definite; None is the identity
    inner_steps : most Hessian products per iteration, positive
    search : the line search

    References
    ----------
    Nocedal & Wright 2006, Numerical Optimization, algorithm 7.1
    """

    precondition: Callable[[Tensor], Tensor] | None = None
    inner_steps: int = 200
    search: WolfeSearch = field(default_factory=WolfeSearch)

    def start(self, problem: Problem, point: Tensor) -> NewtonState:
        """Return the state at ``point``; raise InputError where the smooth part or the penalty lacks what it needs."""
        if not isinstance(problem.smooth, TwiceSmooth):
            raise InputError(
                f"NewtonCG needs a smooth part with a curvature and {type(problem.smooth).__name__} has none: use LBFGS"
            )
        value, gradient = total_value_and_gradient(problem, differentiable_penalty(problem, "NewtonCG"), point)
        residual = math.sqrt(inner(gradient, gradient))
        return NewtonState(point, value, gradient, residual, halted=not math.isfinite(value))

    def advance(self, problem: Problem, state: NewtonState) -> NewtonState:
        """Return the state after one truncated Newton step."""
        penalty = differentiable_penalty(problem, "NewtonCG")
        direction = -self._solve(self._hessian(problem, state.point), state)
        slope = inner(direction, state.gradient)

        def evaluate(step: float) -> Trial:
            point = state.point + step * direction
            value, gradient = total_value_and_gradient(problem, penalty, point)
            return Trial(step, point, value, gradient, inner(direction, gradient))

        origin = Trial(0.0, state.point, state.value, state.gradient, slope)
        found = self.search.search(evaluate, origin) if slope < 0 else None
        if found is None:
            return NewtonState(state.point, state.value, state.gradient, state.first_residual, halted=True)
        return NewtonState(found.point, found.value, found.gradient, state.first_residual)

    def _hessian(self, problem: Problem, point: Tensor) -> Callable[[Tensor], Tensor]:
        assert isinstance(problem.smooth, TwiceSmooth)
        smooth = problem.smooth.curvature(point)
        penalty = differentiable_penalty(problem, "NewtonCG").curvature(point)
        return lambda direction: smooth(direction) + penalty(direction)

    def _solve(self, hessian: Callable[[Tensor], Tensor], state: NewtonState) -> Tensor:
        """Return a solution of Hessian x = gradient by conjugate gradients, as good as its forcing term asks."""
        forcing = min(0.5, math.sqrt(state.residual / max(state.first_residual, 1e-300)))
        residual, solution = state.gradient, torch.zeros_like(state.gradient)
        conditioned = self._preconditioned(residual)
        direction, product = conditioned, inner(residual, conditioned)
        for _ in range(self.inner_steps):
            bent = hessian(direction)
            curvature = inner(direction, bent)
            # a convex function's Hessian may be singular along the direction: what has been found so far stands
            if curvature <= 1e-14 * inner(direction, direction):
                break
            length = product / curvature
            solution = solution + length * direction
            residual = residual - length * bent
            if math.sqrt(inner(residual, residual)) <= forcing * state.residual:
                break
            conditioned = self._preconditioned(residual)
            previous, product = product, inner(residual, conditioned)
            direction = conditioned + (product / previous) * direction
        return solution if solution.any() else conditioned

    def _preconditioned(self, vector: Tensor) -> Tensor:
        return vector if self.precondition is None else self.precondition(vector)
