"""Three-operator splitting: for a smooth function and two penalties, each with its own prox."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.solvers.composite import inner, inside, rounding_noise, terms_of

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Proximable
    from gradus.core.solution import Problem

# iterations in which the step may grow, and by how much: that they are finitely many keeps the proof of convergence
GROWING, GROWTH = 40, 1.5
SHRINKAGE = 0.5
LEAST_STEP = 1e-300


@dataclass(frozen=True)
class DavisYinState:
    """The point, the dual of the penalty whose prox it is, and the step."""

    point: Tensor
    dual: Tensor
    step: float
    residual: float = math.inf
    iterations: int = 0
    halted: bool = False


@dataclass(frozen=True)
class DavisYin:
    """Minimise f(x) + g(x) + h(x), f smooth, g and h the two terms of a ``penalties.Sum``, by proxes of each.

    x = prox_h(z - t (u + grad f(z)), t),  z+ = prox_g(x + t u, t),  u+ = u + (x - z+) / t

    The point is z, a value of the prox of g, the first term: its zeros are zeros and its set is not left; what the
    second term asks for holds to the tolerance. The step t shrinks until
    f(x) <= f(z) + <grad f(z), x - z> + |x - z|^2 / 2t; in the first 40 iterations it grows while that holds. A penalty
    of one term is taken as g, with h = 0. Each iteration costs one value and gradient, and where the step is tested one
    value.

    Parameters
    ----------
    first_step : where the search for a step begins, positive
    bound : an upper bound on the eigenvalues of the Hessian of f: the step is then 1 / bound and is not tested; None
        where none is known
    rounding : relative error of a value of f, in units of the dtype's epsilon; smaller differences decide nothing

    Raises
    ------
    InputError : if a number is outside its range; by ``start``, if the penalty has other terms

    References
    ----------
    Davis & Yin 2017, A three-operator splitting scheme and its optimization applications, algorithm 1;
    Pedregosa & Gidel 2018, Adaptive three operator splitting, algorithm 1 (the search for the step)
    """

    first_step: float = 1.0
    bound: float | None = None
    rounding: float = 8.0

    def __post_init__(self) -> None:
        for name, number in (("first_step", self.first_step), ("bound", 1.0 if self.bound is None else self.bound)):
            if not (number > 0 and math.isfinite(number)):
                raise InputError(f"DavisYin's {name} is {number}; expected a finite number > 0")

    def start(self, problem: Problem, point: Tensor) -> DavisYinState:
        """Return the state at the nearest point to ``point`` where the first term is finite.

        Raises
        ------
        InputError : if the penalty has not one or two terms, or one of them is behind a linear map
        """
        terms = terms_of(problem)
        if len(terms) > 2 or any(term.map is not None for term in terms):
            raise InputError(
                f"DavisYin takes a sum of two penalties and was given {len(terms)} terms, "
                f"{sum(term.map is not None for term in terms)} of them behind a linear map: use PrimalDual"
            )
        step = self.first_step if self.bound is None else 1.0 / self.bound
        return DavisYinState(inside(terms[0].penalty, point, step), torch.zeros_like(point), step)

    def advance(self, problem: Problem, state: DavisYinState) -> DavisYinState:
        """Return the state after one step."""
        first, second = _penalties(problem)
        value, gradient = problem.smooth.value_and_gradient(state.point)
        start, step = value.item(), state.step
        if not math.isfinite(start):
            return replace(state, halted=True)
        while True:
            ahead = state.point - step * (state.dual + gradient)
            ahead = ahead if second is None else second.prox(ahead, step)
            moved = ahead - state.point
            room = inner(moved, moved) / (2 * step)
            excess = self._excess(problem, (start, gradient), state.point, moved)
            if excess <= room + rounding_noise(start, moved, self.rounding):
                break
            step *= SHRINKAGE
            if step < LEAST_STEP:
                return replace(state, halted=True)
        point = first.prox(ahead + step * state.dual, step)
        apart = ahead - point
        residual = math.sqrt(inner(moved, moved) + inner(apart, apart)) / step
        grows = self.bound is None and state.iterations < GROWING and excess <= SHRINKAGE * room
        next_step = step * GROWTH if grows else step
        return DavisYinState(
            point, state.dual + apart / step, next_step, residual, state.iterations + 1, residual == 0.0
        )

    def _excess(self, problem: Problem, smooth: tuple[float, Tensor], point: Tensor, moved: Tensor) -> float:
        """Return f(x) - f(z) - <grad f(z), x - z>, or minus infinity where a bound makes it needless."""
        if self.bound is not None:
            return -math.inf
        value, gradient = smooth
        return problem.smooth.value(point + moved).item() - value - inner(gradient, moved)


def _penalties(problem: Problem) -> tuple[Proximable, Proximable | None]:
    terms = terms_of(problem)
    return terms[0].penalty, terms[1].penalty if len(terms) > 1 else None
