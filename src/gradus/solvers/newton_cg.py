"""Newton's method: the Hessian of a part of the data, inverted roughly by conjugate gradients, where it is trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from gradus.core.errors import InputError
from gradus.core.protocols import Sampled, TwiceSmooth
from gradus.solvers.composite import differentiable_penalty, inner, total_value_and_gradient
from gradus.solvers.conjugate_gradients import ConjugateGradients

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.core.solution import Problem

# actual over promised decrease: below the first a step is refused, below the second the radius shrinks, above the third
# it grows
REFUSED, POOR, GOOD = 1e-3, 0.25, 0.75
SHRINK, GROW = 0.25, 3.0
# the samples are drawn anew where a step has left more than this of the gradient, and after so many steps
LEFT, STEPS = 0.5, 3
# a sample is too small where its own error is so many times the gradient before the step (larger samples need fewer
# steps, which cost more and more memory); part of all above which all are taken
TOO_SMALL, NEARLY_ALL = 1.6, 0.6
# a step that promises less than rounding and leaves more than this of the gradient leads nowhere
IDLE = 0.9
# relative error of a value in units of the dtype's epsilon: a smaller decrease is measured by the slopes instead
ROUNDING = 64.0


class Local(NamedTuple):
    """What stands for the smooth part in second order.

    Attributes
    ----------
    smooth : the part of the samples, or the whole; None once they are to be drawn anew, so that their memory is free
    precondition : the map to an approximate inverse Hessian
    gradient : of ``smooth`` at the state's point; None where it is the whole
    age : steps taken with it
    """

    smooth: TwiceSmooth | None
    precondition: Callable[[Tensor], Tensor]
    gradient: Tensor | None
    age: int

    def spent(self) -> Local:
        """Return the same without the samples."""
        return self._replace(smooth=None, gradient=None)


@dataclass(frozen=True)
class NewtonState:
    """Point, value and gradient, and what the next step starts from.

    ``renewals`` counts how often the samples were drawn, ``count`` how many there are (None: all), ``stale`` tells that
    they are to be drawn anew.
    """

    point: Tensor
    value: float
    gradient: Tensor
    first_residual: float
    radius: float = math.inf
    count: int | None = None
    local: Local | None = None
    renewals: int = 0
    stale: bool = True
    halted: bool = False

    @property
    def residual(self) -> float:
        """Norm of the gradient."""
        return math.sqrt(inner(self.gradient, self.gradient))


@dataclass(frozen=True)
class NewtonCG:
    """Minimise a twice smooth function plus a smooth penalty by Newton's method with a trust region.

    Values and gradients are those of all samples; Hessian products, of which each step takes some dozens, those of a
    few. Steps are held to where the quadratic model tells the truth. The samples are drawn anew as the point moves, and
    doubled where their own error, seen in how the two gradients change along a step, would hold the method up.

    Parameters
    ----------
    precondition : makes, from the function that is to be inverted and a point, an approximate inverse Hessian,
        symmetric positive definite; None is the identity
    samples : how many stand for all at first, positive, where the smooth part is ``Sampled``; None is all
    tolerance : of the inner solve, in (0, 1); with the Hessian of all samples it tightens as the gradient falls
    inner_steps : most Hessian products per iteration, positive
    enough : tells from a gradient and the value that no smaller gradient is needed, so that the inner solve with a
        part of the samples may end; None of none

    References
    ----------
    Nocedal & Wright 2006, Numerical Optimization, algorithms 4.1 and 7.2; Byrd, Chin, Neveitt & Nocedal 2011, On the
    use of stochastic Hessian information in optimization methods for machine learning
    """

    precondition: Callable[[Any, Tensor], Callable[[Tensor], Tensor]] | None = None
    samples: int | None = None
    tolerance: float = 0.2
    inner_steps: int = 200
    enough: Callable[[Tensor, float], bool] | None = None

    def start(self, problem: Problem, point: Tensor) -> NewtonState:
        """Return the state at ``point``; raise InputError where the smooth part or the penalty lacks what it needs."""
        if not isinstance(problem.smooth, TwiceSmooth):
            raise InputError(
                f"NewtonCG needs a smooth part with a curvature and {type(problem.smooth).__name__} has none: use LBFGS"
            )
        value, gradient = total_value_and_gradient(problem, differentiable_penalty(problem, "NewtonCG"), point)
        count = _counted(problem, self.samples)
        first = math.sqrt(inner(gradient, gradient))
        return NewtonState(point, value, gradient, first, count=count, halted=not math.isfinite(value))

    def advance(self, problem: Problem, state: NewtonState) -> NewtonState:
        """Return the state after one step, or with a smaller radius where the step was refused."""
        if not state.gradient.any():
            return replace(state, halted=True)
        state = self._renewed(problem, state) if state.stale or state.local is None else state
        assert state.local is not None
        assert state.local.smooth is not None
        penalty = differentiable_penalty(problem, "NewtonCG")
        smooth, bend = state.local.smooth.curvature(state.point), penalty.curvature(state.point)
        # with the whole Hessian convergence becomes superlinear; with a part's it would not
        left = math.sqrt(state.residual / state.first_residual) if state.count is None else 1.0
        tolerance, enough = min(self.tolerance, left), self._enough_at(state)
        search = ConjugateGradients(state.local.precondition, tolerance, self.inner_steps, enough)
        descent = search.descent(lambda along: smooth(along) + bend(along), state.gradient, state.radius)
        point = state.point - descent.move
        value, gradient = total_value_and_gradient(problem, penalty, point)
        noise = ROUNDING * torch.finfo(point.dtype).eps * abs(state.value)
        if descent.promise > noise:
            fell = state.value - value
        else:
            fell = 0.5 * (inner(state.gradient, descent.move) + inner(gradient, descent.move))
        quality = fell / descent.promise if descent.promise > 0 and math.isfinite(value) else -math.inf
        radius = _radius(state.radius, quality, descent.length, at_edge=descent.at_edge)
        if not quality > REFUSED:
            refused = replace(state, radius=radius)
            return _exhausted(problem, refused) if descent.promise <= noise else refused
        judged = _judged(problem, state, replace(state, point=point, value=value, gradient=gradient, radius=radius))
        idle = descent.promise <= noise and judged.residual > IDLE * state.residual
        return _exhausted(problem, judged) if idle else judged

    def _enough_at(self, state: NewtonState) -> Callable[[Tensor], bool] | None:
        enough = self.enough
        # with the whole Hessian of few samples the last digits cost next to nothing
        return None if enough is None or state.count is None else lambda gradient: enough(gradient, state.value)

    def _renewed(self, problem: Problem, state: NewtonState) -> NewtonState:
        """Return the state with samples drawn at its point."""
        smooth = problem.smooth
        assert isinstance(smooth, TwiceSmooth)
        gradient = None
        if state.count is not None and isinstance(smooth, Sampled):
            smooth = smooth.sampled(state.point, state.count)
            gradient = smooth.value_and_gradient(state.point)[1]
        renewals = state.renewals + 1
        precondition: Callable[[Tensor], Tensor] = _identity
        if self.precondition is None:
            pass
        elif state.local is None or renewals & (renewals - 1) == 0:
            precondition = self.precondition(smooth, state.point)
        else:
            # what the preconditioner depends on moves much at first and little later
            precondition = state.local.precondition
        local = Local(smooth, precondition, gradient, 0)
        return replace(state, local=local, renewals=renewals, stale=False)


def _exhausted(problem: Problem, state: NewtonState) -> NewtonState:
    """Return the state with more samples, or halted where it has all and so only rounding is left."""
    if state.count is None:
        return replace(state, halted=True)
    local = None if state.local is None else state.local.spent()
    return replace(state, local=local, count=_counted(problem, 2 * state.count), stale=True)


def _judged(problem: Problem, before: NewtonState, after: NewtonState) -> NewtonState:
    """Return ``after`` with what the step has taught about the samples."""
    assert before.local is not None
    assert before.local.smooth is not None
    local = before.local

    def norm(gradient: Tensor) -> float:
        return math.sqrt(max(inner(gradient, local.precondition(gradient)), 0.0))

    first = norm(before.gradient)
    left = norm(after.gradient) / first
    local, count = local._replace(age=local.age + 1), after.count
    stale = left > LEFT or local.age >= STEPS
    if local.gradient is not None and count is not None:
        part = before.local.smooth.value_and_gradient(after.point)[1]
        penalty = differentiable_penalty(problem, "NewtonCG")
        bent = _change(penalty, before.point, after.point)
        error = norm(after.gradient - before.gradient - bent - (part - local.gradient))
        if error > TOO_SMALL * first:
            count, stale = _counted(problem, 2 * count), True
        local = local._replace(gradient=part)
    return replace(after, local=local.spent() if stale else local, count=count, stale=stale)


def _change(penalty: Any, before: Tensor, after: Tensor) -> Tensor:
    change: Tensor = penalty.value_and_gradient(after)[1] - penalty.value_and_gradient(before)[1]
    return change


def _counted(problem: Problem, count: int | None) -> int | None:
    """Return how many samples to draw, or None where that is nearly all, or where none can be drawn."""
    if count is None or not isinstance(problem.smooth, Sampled):
        return None
    return count if count < NEARLY_ALL * problem.smooth.samples else None


def _radius(radius: float, quality: float, length: float, *, at_edge: bool) -> float:
    if quality < POOR:
        return SHRINK * length
    return GROW * radius if quality > GOOD and at_edge else radius


def _identity(gradient: Tensor) -> Tensor:
    return gradient
