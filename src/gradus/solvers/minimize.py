"""The one loop that every solver runs in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic

from gradus.core import progress
from gradus.core.errors import InputError
from gradus.core.protocols import State
from gradus.core.solution import Problem, Solution, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.core.protocols import Certificate, Iterate, Proximable, Smooth, Solver


@dataclass(frozen=True)
class Stop:
    """When to stop: at a certificate, looked at where it is likely to hold.

    Parameters
    ----------
    certificate : bounds, by its own computation, how far a point is from the minimum
    tolerance : what the certificate is compared with, not negative
    max_iterations : not negative
    every : the most iterations between two looks at the certificate, positive
    promising : tells from a state, at next to no cost, that the certificate may hold there; it is not looked at before.
        None promises nothing and excludes nothing
    guess : about what the certificate is at a state, at next to no cost, for whoever watches; None guesses nothing

    Raises
    ------
    InputError : if a number is outside its range
    """

    certificate: Certificate
    tolerance: float
    max_iterations: int
    every: int = 20
    promising: Callable[[Any], bool] | None = None
    guess: Callable[[Any], float] | None = None

    def __post_init__(self) -> None:
        if not self.tolerance >= 0:
            raise InputError(f"tolerance is {self.tolerance}; expected a number >= 0")
        if self.max_iterations < 0 or self.every < 1:
            raise InputError(
                f"max_iterations is {self.max_iterations} and every is {self.every}; expected at least 0 and at least 1"
            )


@dataclass(frozen=True)
class Continued(Generic[State]):
    """Where ``resume`` ended: the solver's state there, from which it can be resumed once more."""

    state: State
    certificate: float
    iterations: int

    def solution(self, value: float, stop: Stop) -> Solution:
        """Return the solution at the state's point, where the objective is ``value``."""
        return Solution(self.state.point, value, self.certificate, self.iterations, self._status(value, stop))

    def _status(self, value: float, stop: Stop) -> Status:
        # an infinite value with a finite certificate is a point that is not in a penalty's set yet
        if math.isnan(value) or (math.isinf(value) and math.isinf(self.certificate)):
            return Status.DIVERGED
        if math.isfinite(value) and self.certificate <= stop.tolerance:
            return Status.CONVERGED
        return Status.STALLED if self.state.halted else Status.ITERATION_LIMIT


@dataclass(frozen=True)
class _Look:
    """What the certificate said when it was last looked at."""

    iteration: int
    residual: float
    certificate: float

    def due_again(self, iteration: int, residual: float, stop: Stop) -> bool:
        if stop.promising is not None:
            return True
        # near the minimum a gap falls as the square of the residual, so this is when it may first hold
        hopeful = self.residual * math.sqrt(min(stop.tolerance / max(self.certificate, 1e-300), 1.0))
        return residual <= hopeful or iteration - self.iteration >= stop.every


def minimize(smooth: Smooth, penalty: Proximable, start: Tensor, solver: Solver[State], stop: Stop) -> Solution:
    """Minimise ``smooth + penalty`` from ``start``.

    Never raises for want of convergence: the status says why the loop ended, and the certificate how far from the
    minimum the point may be.

    Examples
    --------
    >>> import torch
    >>> from gradus.penalties import L1
    >>> from gradus.solvers import ProximalGradient
    >>> class Distance:
    ...     def value(self, point):
    ...         return 0.5 * ((point - 3.0) ** 2).sum()
    ...     def value_and_gradient(self, point):
    ...         return self.value(point), point - 3.0
    >>> stop = Stop(certificate=lambda point: abs(point.item() - 2.0), tolerance=1e-6, max_iterations=100)
    >>> solution = minimize(Distance(), L1(1.0), torch.zeros(1, dtype=torch.float64), ProximalGradient(), stop)
    >>> solution.status.name, round(solution.point.item(), 5)
    ('CONVERGED', 2.0)
    """
    problem = Problem(smooth, penalty)
    with progress.task("fitting", total=stop.max_iterations) as fitting:
        end = resume(problem, solver, solver.start(problem, start), stop, fitting)
    value = (smooth.value(end.state.point) + penalty.value(end.state.point)).item()
    return end.solution(value, stop)


def resume(
    problem: Problem, solver: Solver[State], state: State, stop: Stop, fitting: progress.Task
) -> Continued[State]:
    """Go on minimising from a state of ``solver``, telling ``fitting`` of each iteration."""
    look = _look(state, 0, stop) if _promising(state, stop) else _Look(0, state.residual, math.inf)
    iteration = 0
    while look.certificate > stop.tolerance and not state.halted and iteration < stop.max_iterations:
        state = solver.advance(problem, state)
        iteration += 1
        if state.halted or (_promising(state, stop) and look.due_again(iteration, state.residual, stop)):
            look = _look(state, iteration, stop)
        # a guess takes some arithmetic
        fitting.advance(1.0, _note(state, iteration, look, stop) if progress.is_watched() else "")
    if look.iteration < iteration or math.isinf(look.certificate):
        look = _look(state, iteration, stop)
    return Continued(state, look.certificate, iteration)


def _note(state: Iterate, iteration: int, look: _Look, stop: Stop) -> str:
    """Return the certificate or a guess at it, or how far from stationary the point is where none was worth a look."""
    if stop.guess is not None and look.iteration < iteration:
        return f"gap about {stop.guess(state):.1e}"
    if math.isinf(look.certificate):
        return f"gradient {state.residual:.1e}"
    return f"gap {look.certificate:.1e}"


def _look(state: Iterate, iteration: int, stop: Stop) -> _Look:
    certificate = stop.certificate(state.point)
    return _Look(iteration, state.residual, certificate if math.isfinite(certificate) else math.inf)


def _promising(state: Iterate, stop: Stop) -> bool:
    return stop.promising is None or stop.promising(state)
