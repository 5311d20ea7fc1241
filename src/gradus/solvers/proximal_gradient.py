"""Accelerated proximal gradient steps with restart: for penalties that are not smooth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.solvers.composite import inner, inside

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.solution import Problem


@dataclass(frozen=True)
class ProximalState:
    """The point, where the next gradient is taken, and the momentum and step on the way there."""

    point: Tensor
    ahead: Tensor
    momentum: float
    step: float
    residual: float
    halted: bool = False


@dataclass(frozen=True)
class ProximalGradient:
    """Minimise a smooth function plus any proximable penalty by FISTA with backtracking and restart.

    x+ = prox(y - t grad f(y), t),  y+ = x+ + (theta - 1) / theta+ (x+ - x),  theta+ = (1 + sqrt(1 + 4 theta^2)) / 2

    The step t shrinks until f(x+) <= f(y) + <grad f(y), x+ - y> + |x+ - y|^2 / 2t and grows a little while that holds
    with room to spare. Where both sides are rounding errors it tells nothing and is not evaluated. The momentum
    restarts where it points uphill, <y - x+, x+ - x> > 0. Each iteration costs one value and gradient, and where the
    step is tested one value.

    Parameters
    ----------
    first_step : where the search for a step begins, positive
    growth : factor of the step per iteration, at least 1
    rounding : relative error of a value of f, in units of the dtype's epsilon; smaller differences decide nothing

    Raises
    ------
    InputError : if a number is outside its range

    References
    ----------
    Beck & Teboulle 2009, A fast iterative shrinkage-thresholding algorithm, section 4;
    O'Donoghue & Candes 2015, Adaptive restart for accelerated gradient schemes, equation 13
    """

    first_step: float = 1.0
    growth: float = 1.1
    rounding: float = 8.0

    def __post_init__(self) -> None:
        if not (self.first_step > 0 and math.isfinite(self.first_step) and self.growth >= 1):
            raise InputError(
                f"first_step is {self.first_step} and growth {self.growth}; expected a positive step and growth >= 1"
            )

    def start(self, problem: Problem, point: Tensor) -> ProximalState:
        """Return the state at the nearest point to ``point`` where the penalty is finite."""
        feasible = inside(problem.penalty, point, self.first_step)
        return ProximalState(feasible, feasible, 1.0, self.first_step, math.inf, halted=False)

    def advance(self, problem: Problem, state: ProximalState) -> ProximalState:
        """Return the state after one accelerated step."""
        value, gradient = problem.smooth.value_and_gradient(state.ahead)
        start = value.item()
        if not math.isfinite(start):
            return _halted(state)
        noise = self.rounding * torch.finfo(state.ahead.dtype).eps * abs(start)
        step = state.step
        while True:
            point = problem.penalty.prox(state.ahead - step * gradient, step)
            moved = point - state.ahead
            bend = inner(moved, moved) / (2 * step)
            if bend <= 10 * noise:
                return _accelerated(state, point, (step, step))
            excess = problem.smooth.value(point).item() - start - inner(gradient, moved)
            if excess <= bend + noise:
                break
            step *= 0.5
            if step < 1e-300:
                return _halted(state)
        return _accelerated(state, point, (step, step * self.growth if excess <= 0.8 * bend else step))


def _accelerated(state: ProximalState, point: Tensor, steps: tuple[float, float]) -> ProximalState:
    """Return the state at ``point``, which this step and the next, ``steps``, carry momentum through."""
    step, next_step = steps
    moved, travelled = point - state.ahead, point - state.point
    residual = math.sqrt(inner(moved, moved)) / step
    if inner(moved, travelled) < 0:
        # uphill: forget the momentum, keep the point
        return ProximalState(point, point, 1.0, next_step, residual)
    momentum = 0.5 * (1.0 + math.sqrt(1.0 + 4.0 * state.momentum**2 * (step / next_step)))
    ahead = point + ((state.momentum - 1.0) / momentum) * travelled
    return ProximalState(point, ahead, momentum, next_step, residual, halted=residual == 0.0)


def _halted(state: ProximalState) -> ProximalState:
    return ProximalState(state.point, state.point, 1.0, state.step, state.residual, halted=True)
