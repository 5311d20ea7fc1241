"""Fits by descent on single coordinates: one alone, or those of a path, each begun where the one before ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradus.core import progress
from gradus.core.errors import InputError
from gradus.core.free_memory import give_back
from gradus.core.solution import Problem
from gradus.estimators.softmax_problem import on_weights
from gradus.losses import ColumnModel, column_access
from gradus.solvers import resume

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Proximable, Solver
    from gradus.core.solution import Solution
    from gradus.estimators.softmax_problem import Settings
    from gradus.estimators.solving import Way
    from gradus.losses import CrossEntropy, LinearModel
    from gradus.solvers import CoordinateDescent
    from gradus.solvers.coordinate_descent import CoordinateState


@dataclass(frozen=True)
class DescentPath:
    """The fits of one model at falling strengths by coordinate descent.

    Attributes
    ----------
    smooth : the model by columns, whose sums all strengths share
    last : where the last fit ended; None before the first
    """

    smooth: ColumnModel[CrossEntropy]
    last: CoordinateState | None = None

    @classmethod
    def of(cls, model: LinearModel[CrossEntropy]) -> DescentPath:
        """Return the path before its first fit; raise InputError where the features lie in a file."""
        columns = column_access(model.features)
        if columns is None:
            raise InputError("features lie in a file, whose columns cannot be had one at a time: use ProximalGradient")
        return cls(ColumnModel(model, columns))

    def extended(
        self, descent: CoordinateDescent, penalty: Proximable, settings: Settings, way: Way
    ) -> tuple[Solution, DescentPath]:
        """Return the solution at the next strength, and the path that it extends."""
        problem = Problem(self.smooth, on_weights(penalty, self.smooth.model))
        descent = replace(descent, remembers=True)
        begun = descent.start(problem, way.start) if self.last is None else descent.follow(problem, self.last)
        found, last = _descended(problem, descent, begun, settings, way)
        return found, replace(self, last=last)


def fitted_by_descent(
    model: LinearModel[CrossEntropy], descent: CoordinateDescent, penalty: Proximable, settings: Settings, way: Way
) -> Solution:
    """Return the solution of one fit."""
    problem, solver = Problem(DescentPath.of(model).smooth, on_weights(penalty, model)), way.kept(descent)
    return _descended(problem, solver, solver.start(problem, way.start), settings, way)[0]


def _descended(
    problem: Problem, solver: Solver[CoordinateState], begun: CoordinateState, settings: Settings, way: Way
) -> tuple[Solution, CoordinateState]:
    def promising(state: CoordinateState) -> bool:
        return state.residual**2 <= settings.tol

    def bound(point: Tensor) -> float:
        give_back()
        return way.bound(point)

    stop = replace(way.stop(settings, bound), promising=promising)
    with progress.task("fitting", total=stop.max_iterations) as fitting:
        end = resume(problem, solver, begun, stop, fitting)
    give_back()
    solution = end.solution(end.state.value, stop)
    return replace(solution, iterations=solution.iterations + way.iterations_before), end.state
