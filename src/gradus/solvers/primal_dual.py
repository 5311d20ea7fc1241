"""Primal-dual splitting: for any number of penalties, also behind linear maps, by proxes and products alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import torch

from gradus.core.errors import InputError
from gradus.core.splitting import Split, distance
from gradus.solvers.composite import inner, inside, rounding_noise, terms_of

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.solution import Problem

SHRINKAGE = 0.5
LEAST_STEP = 1e-300
# the estimate of |A| comes from below
NORM_MARGIN = 1.05
# the balance is looked at in the iterations 2^4, 2^5, ... 2^13: finitely many changes keep the proof of convergence
FIRST_LOOK, LAST_LOOK = 16, 8192


class Steps(NamedTuple):
    """The step, the largest that the smooth part allows as far as it is known, and the norm of the maps."""

    step: float
    largest: float
    norm: float

    @property
    def dual(self) -> float:
        """The step of the duals, as long as the step allows."""
        return 1.0 / (self.step * self.norm**2)


class Anchor(NamedTuple):
    """Where the balance was last looked at, and what it was: the length of the way of the duals over the point's."""

    point: Tensor
    duals: tuple[Tensor, ...]
    balance: float


@dataclass(frozen=True)
class PrimalDualState:
    """Point and duals, value and gradient of the smooth part, its image under the maps, and the point ahead."""

    point: Tensor
    duals: tuple[Tensor, ...]
    smooth: tuple[float, Tensor]
    images: tuple[Tensor, ...]
    ahead: Tensor
    steps: Steps
    anchor: Anchor
    residual: float = math.inf
    iterations: int = 0
    halted: bool = False


@dataclass(frozen=True)
class PrimalDual:
    """Minimise f(x) + g(x) + sum_k h_k(A_k x), f smooth, g and h_k convex with a prox each, A_k linear maps.

    u+ = prox_{s h*}(u + s A y, s),  x+ = prox_g(x - t (grad f(x) + A'u+), t),
    y+ = 2 x+ - x + t (grad f(x) - grad f(x+)),  with s t |A|^2 <= 1

    The terms are those of a ``penalties.Sum`` or ``Composed``: g is the first one without a linear map, and the point
    is a value of its prox, so that its zeros are zeros and its set is not left; all others are behind a map, which may
    be the identity. The step t shrinks until f(x+) <= f(x) + <grad f(x), x+ - x> + |x+ - x|^2 / 2t. Below that it is
    chosen so that t |A| is the way that the point has gone over the way that the duals have gone, looked at in the
    iterations 16, 32, 64, ... Each iteration costs one value and gradient and two or three products with the maps.

    Parameters
    ----------
    first_step : of the point in the first iterations, positive
    rounding : relative error of a value of f, in units of the dtype's epsilon; smaller differences decide nothing

    Raises
    ------
    InputError : if a number is outside its range

    References
    ----------
    Yan 2018, A new primal-dual algorithm for minimizing the sum of three functions with a linear operator, equation 4;
    Condat 2013 and Vu 2013 (the problem); Applegate et al. 2021, Practical large-scale linear programming using
    primal-dual hybrid gradient, section 3.3 (the balance)
    """

    first_step: float = 1.0
    rounding: float = 8.0

    def __post_init__(self) -> None:
        if not (self.first_step > 0 and math.isfinite(self.first_step)):
            raise InputError(f"PrimalDual's first_step is {self.first_step}; expected a finite number > 0")

    def start(self, problem: Problem, point: Tensor) -> PrimalDualState:
        """Return the state at the nearest point to ``point`` where g is finite.

        Cost: one value and gradient and 80 products with the maps.
        """
        split = Split.of(terms_of(problem))
        point = point if split.direct is None else inside(split.direct, point, self.first_step)
        images = split.times(point)
        duals = tuple(torch.zeros_like(image) for image in images)
        norm = NORM_MARGIN * split.norm(point) if split.mapped else 0.0
        steps = Steps(self.first_step, math.inf, norm or 1.0)
        anchor = Anchor(point, duals, 1.0 / (self.first_step * steps.norm))
        value, gradient = problem.smooth.value_and_gradient(point)
        halted = not math.isfinite(value.item())
        return PrimalDualState(point, duals, (value.item(), gradient), images, point, steps, anchor, halted=halted)

    def advance(self, problem: Problem, state: PrimalDualState) -> PrimalDualState:
        """Return the state after one step, with a shorter one where the smooth part asks for it."""
        split = Split.of(terms_of(problem))
        ahead_images = split.times(state.ahead)
        steps = state.steps
        while True:
            following = self._stepped(problem, split, replace(state, steps=steps), ahead_images)
            if following is not None:
                return _balanced(following)
            shorter = SHRINKAGE * steps.step
            steps = Steps(shorter, shorter, steps.norm)
            if shorter < LEAST_STEP:
                return replace(state, halted=True)

    def _stepped(
        self, problem: Problem, split: Split, state: PrimalDualState, ahead_images: tuple[Tensor, ...]
    ) -> PrimalDualState | None:
        """Return the state after a step of the length in ``state``, or None where it is too long."""
        (value, gradient), step = state.smooth, state.steps.step
        duals = split.dual_step(state.duals, ahead_images, state.steps.dual)
        pulled = split.adjoint_times(duals, state.point)
        point = split.prox(state.point - step * (gradient + pulled), step)
        moved = point - state.point
        new_value, new_gradient = problem.smooth.value_and_gradient(point)
        excess = new_value.item() - value - inner(gradient, moved)
        length = inner(moved, moved)
        if not excess <= length / (2 * step) + rounding_noise(value, point, self.rounding):
            return None
        turned = gradient - new_gradient
        images = split.times(point)
        # what is missing in 0 = grad f + subgradient of g + A'u and in A x = subgradient of h*
        missing = moved / step + turned
        dual_missing = tuple(
            (old - new) / state.steps.dual + before - after
            for old, new, before, after in zip(state.duals, duals, ahead_images, images, strict=True)
        )
        residual = math.hypot(math.sqrt(inner(missing, missing)), distance(dual_missing) / (step * state.steps.norm))
        stretch = distance(images, state.images) / math.sqrt(length) if length > 0 else 0.0
        steps = state.steps._replace(norm=max(state.steps.norm, stretch))
        return replace(
            state,
            point=point,
            duals=duals,
            smooth=(new_value.item(), new_gradient),
            images=images,
            ahead=point + moved + step * turned,
            steps=steps,
            residual=residual,
            iterations=state.iterations + 1,
            halted=residual == 0.0,
        )


def _balanced(state: PrimalDualState) -> PrimalDualState:
    """Return the state with a step that fits the ways gone, where it is time to look."""
    count = state.iterations
    if not (FIRST_LOOK <= count <= LAST_LOOK and count & (count - 1) == 0):
        return state
    anchor, steps = state.anchor, state.steps
    gone, dual_gone = distance((state.point,), (anchor.point,)), distance(state.duals, anchor.duals)
    balance = math.sqrt(anchor.balance * dual_gone / gone) if gone > 0 and dual_gone > 0 else anchor.balance
    largest = 2 * steps.largest
    # without a map there are no duals to balance against
    wanted = 1.0 / (balance * steps.norm) if state.duals else math.inf
    steps = Steps(min(largest, wanted) if math.isfinite(min(largest, wanted)) else 2 * steps.step, largest, steps.norm)
    return replace(state, steps=steps, anchor=Anchor(state.point, state.duals, balance))
