"""Limited-memory BFGS, from a preconditioner instead of a multiple of the identity."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import torch

from gradus.solvers.composite import differentiable_penalty, inner, total_value_and_gradient, with_penalty
from gradus.solvers.line_search import Trial, WolfeSearch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.core.solution import Problem


class Pair(NamedTuple):
    """A step and the change of the gradient along it."""

    step: Tensor
    change: Tensor
    product: float


@dataclass(frozen=True)
class LBFGSState:
    """Point, value and gradient, the last pairs, oldest first, and which multiple of the direction led here."""

    point: Tensor
    value: float
    gradient: Tensor
    pairs: tuple[Pair, ...] = ()
    halted: bool = False
    step: float = 1.0

    @property
    def residual(self) -> float:
        """Norm of the gradient."""
        return math.sqrt(inner(self.gradient, self.gradient))


@dataclass(frozen=True)
class LBFGS:
    """Minimise a smooth function plus a smooth penalty by limited-memory BFGS.

    The inverse Hessian is built from the last ``memory`` pairs on top of ``precondition``, which is applied to a
    gradient and scaled so that it agrees with the newest pair. Each iteration costs one value and gradient as a rule.

    Parameters
    ----------
    precondition : an approximate inverse Hessian, symmetric positive definite; None is the identity
    memory : pairs kept, positive
    search : the line search

    References
    ----------
    Nocedal & Wright 2006, Numerical Optimization, algorithm 7.4
    """

    precondition: Callable[[Tensor], Tensor] | None = None
    memory: int = 12
    search: WolfeSearch = field(default_factory=WolfeSearch)

    def start(self, problem: Problem, point: Tensor) -> LBFGSState:
        """Return the state at ``point``; raise InputError where the penalty has no gradient."""
        differentiable_penalty(problem, "LBFGS")  # before the pass
        return self.start_from(problem, point, problem.smooth.value_and_gradient(point))

    def start_from(self, problem: Problem, point: Tensor, smooth: tuple[Tensor, Tensor]) -> LBFGSState:
        """Return the state at ``point``, where the value and the gradient of the smooth part are known."""
        value, gradient = with_penalty(smooth, differentiable_penalty(problem, "LBFGS"), point)
        return LBFGSState(point, value, gradient, halted=not math.isfinite(value))

    def advance(self, problem: Problem, state: LBFGSState) -> LBFGSState:
        """Return the state after one line search along the quasi-Newton direction."""
        direction = -self._inverse_hessian_times(state)
        slope = inner(direction, state.gradient)
        if not slope < 0:
            return self._without_pairs(state)
        penalty = differentiable_penalty(problem, "LBFGS")

        def evaluate(step: float) -> Trial:
            point = state.point + step * direction
            value, gradient = total_value_and_gradient(problem, penalty, point)
            return Trial(step, point, value, gradient, inner(direction, gradient))

        found = self.search.search(evaluate, Trial(0.0, state.point, state.value, state.gradient, slope))
        if found is None:
            return self._without_pairs(state)
        pairs = _extended(state, found)[-self.memory :]
        return LBFGSState(found.point, found.value, found.gradient, pairs, step=found.step)

    def _without_pairs(self, state: LBFGSState) -> LBFGSState:
        """Return the same point with an empty memory; halted where the memory was not to blame."""
        return LBFGSState(state.point, state.value, state.gradient, halted=not state.pairs)

    def _inverse_hessian_times(self, state: LBFGSState) -> Tensor:
        vector, shares = state.gradient, []
        for pair in reversed(state.pairs):
            share = inner(pair.step, vector) / pair.product
            shares.append(share)
            vector = torch.add(vector, pair.change, alpha=-share)
        vector = self._preconditioned(vector)
        if state.pairs:
            newest = state.pairs[-1]
            vector = vector * (newest.product / inner(newest.change, self._preconditioned(newest.change)))
        elif self.precondition is None:
            vector = vector / max(state.residual, 1.0)
        for pair, share in zip(state.pairs, reversed(shares), strict=True):
            vector = torch.add(vector, pair.step, alpha=share - inner(pair.change, vector) / pair.product)
        return vector

    def _preconditioned(self, vector: Tensor) -> Tensor:
        return vector if self.precondition is None else self.precondition(vector)


def _extended(state: LBFGSState, found: Trial) -> tuple[Pair, ...]:
    step, change = found.point - state.point, found.gradient - state.gradient
    product = inner(step, change)
    # a pair without positive curvature, which rounding can make, would break positive definiteness
    enough = 1e-10 * math.sqrt(inner(step, step) * inner(change, change))
    return (*state.pairs, Pair(step, change, product)) if product > enough else state.pairs
