"""The one loop that every solver runs in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.core import progress
from gradus.core.errors import InputError
from gradus.core.solution import Problem, Solution, Status

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Certificate, Iterate, Proximable, Smooth, Solver, State


@dataclass(frozen=True)
class Stop:
    """When to stop: at a certificate, looked at where it is likely to hold.

    Parameters
    ----------
    certificate : bounds, by its own computation, how far a point is from the minimum
    tolerance : what the certificate is compared with, not negative
    max_iterations : not negative
    every : the most iterations between two looks at the certificate, positive

    Raises
    ------
    InputError : if a number is outside its range
    """

    certificate: Certificate
    tolerance: float
    max_iterations: int
    every: int = 20

    def __post_init__(self) -> None:
        if not self.tolerance >= 0:
            raise InputError(f"tolerance is {self.tolerance}; expected a number >= 0")
        if self.max_iterations < 0 or self.every < 1:
            raise InputError(
                f"max_iterations is {self.max_iterations} and every is {self.every}; expected at least 0 and at least 1"
            )


@dataclass(frozen=True)
class _Look:
    """What the certificate said when it was last looked at."""

    iteration: int
    residual: float
    certificate: float

    def due_again(self, iteration: int, residual: float, stop: Stop) -> bool:
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
        state = solver.start(problem, start)
        look = _look(state, 0, stop)
        iteration = 0
        while look.certificate > stop.tolerance and not state.halted and iteration < stop.max_iterations:
            state = solver.advance(problem, state)
            iteration += 1
            if state.halted or look.due_again(iteration, state.residual, stop):
                look = _look(state, iteration, stop)
            fitting.advance(1.0, f"gap {look.certificate:.1e}")
        if look.iteration < iteration:
            look = _look(state, iteration, stop)
    value = (smooth.value(state.point) + penalty.value(state.point)).item()
    return Solution(state.point, value, look.certificate, iteration, _status(state, value, look, stop))


def _look(state: Iterate, iteration: int, stop: Stop) -> _Look:
    certificate = stop.certificate(state.point)
    return _Look(iteration, state.residual, certificate if math.isfinite(certificate) else math.inf)


def _status(state: Iterate, value: float, look: _Look, stop: Stop) -> Status:
    if not math.isfinite(value):
        return Status.DIVERGED
    if look.certificate <= stop.tolerance:
        return Status.CONVERGED
    return Status.STALLED if state.halted else Status.ITERATION_LIMIT
