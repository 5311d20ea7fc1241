"""Newton's method with the Hessian as numbers, for few unknowns."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from gradus.core.errors import InputError
from gradus.core.protocols import Expandable
from gradus.kernels.gram_lasso import Quadratic, gram_lasso
from gradus.solvers.terms import Terms, rise

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from gradus.core.solution import Problem

    Array = NDArray[np.float64]

# added to the Hessian's diagonal, relative to it and not: what rounding may take from its eigenvalues
JITTER, SMALLEST = 1e-12, 1e-38
# a step is halved down to this part of the longest, and brings that share of what the slope promises
SHORTEST, DECREASE = 1e-3, 1e-4
# of the step where nothing bends
LONGEST = 256.0
# relative error of a value in units of the epsilon of float64: a smaller fall is measured by the slopes instead
ROUNDING = 64.0
# with kinks the quadratic is minimised until its violation is this fraction of the function's, in so many sweeps
FORCING, SWEEPS = 0.01, 3000


@dataclass(frozen=True)
class ExpandedState:
    """The point, the penalty's strengths, and value, gradient and Hessian of the smooth part there, float64."""

    point: Tensor
    terms: Terms
    value: float
    gradient: Tensor
    hessian: Tensor
    halted: bool = False

    @property
    def objective(self) -> float:
        """The value with the penalty."""
        return self.value + self.terms.value(self.point)

    @cached_property
    def residual(self) -> float:
        """Square root of about what the duality gap is relative to the value; without a penalty the gradient's norm."""
        if self.terms.threshold > 0:
            return math.sqrt(max(self.terms.gap_estimate(self.point, self.value, self.gradient), 0.0))
        at = self.numbers
        slopes = at.gradient + at.ridge * at.point
        if self.terms.square == 0:
            return math.sqrt(slopes @ slopes)
        balanced = at.balanced(slopes, self.point.shape[0], self.terms.rows)
        value = self.value + 0.5 * float(at.ridge @ (at.point * at.point))
        return math.sqrt(balanced @ balanced / (2 * self.terms.square) / max(value, 1e-300))

    @property
    def violation(self) -> float:
        """The largest distance of 0 from a unit's subdifferential."""
        if self.terms.by_rows:
            return float(self.terms.violations(self.point, self.gradient).max())
        at = self.numbers
        slopes = at.gradient + at.ridge * at.point
        resting = np.maximum(np.abs(slopes) - at.absolute, 0.0)
        return float(np.where(at.point != 0, np.abs(slopes + at.absolute * np.sign(at.point)), resting).max())

    @cached_property
    def numbers(self) -> Numbers:
        """The same in one row of unknowns, for arithmetic that takes less time than PyTorch's calls."""
        strengths = _strengths(self.terms, *self.point.shape)
        return Numbers(_flat(self.point), _flat(self.gradient), self.hessian.cpu().numpy(), *strengths)


@dataclass(frozen=True)
class Numbers:
    """Point, gradient, Hessian, and the strengths of squares and absolute values, of all unknowns, float64.

    (unknowns,) each, all of the first output first.
    """

    point: Array
    gradient: Array
    hessian: Array
    ridge: Array
    absolute: Array

    def rise(self, moved: Array) -> float:
        """Return by how much squares and absolute values rise along ``moved``, without cancellation."""
        squares = self.ridge @ (moved * (self.point + 0.5 * moved))
        return float(squares + self.absolute @ (np.abs(self.point + moved) - np.abs(self.point)))

    def solved(self, hessian: Array) -> Array:
        """Return the way to the minimum of the quadratic and the squares, or 0 where it has none."""
        metric = _definite(hessian)
        metric.reshape(-1)[:: len(metric) + 1] += self.ridge
        return _quotient(metric, -(self.gradient + self.ridge * self.point))

    def balanced(self, slopes: Array, rows: int, penalised: int) -> Array:
        """Return the slopes of the first rows of each output, once those below have gone to where their own are 0."""
        by_rows = slopes.reshape(-1, rows)
        if penalised == rows:
            return slopes
        outputs, free = len(by_rows), rows - penalised
        below = self.hessian.reshape(outputs, rows, outputs, rows)[:, penalised:]
        metric = below[..., penalised:].reshape(outputs * free, outputs * free)
        moved = _quotient(metric, by_rows[:, penalised:].ravel())
        # not by a product, which NumPy might wake threads for
        shift = np.einsum("k,kj->j", moved, below.reshape(len(moved), -1))
        return cast("Array", (by_rows - shift.reshape(-1, rows))[:, :penalised].ravel())


@lru_cache(maxsize=8)
def _strengths(terms: Terms, rows: int, outputs: int) -> tuple[Array, Array]:
    """Return the strengths of squares and absolute values of all unknowns; what is below the penalised rows has 0."""
    penalised = np.tile(np.arange(rows) < terms.rows, outputs).astype(np.float64)
    return terms.square * penalised, terms.absolute * penalised


def _definite(hessian: Array) -> Array:
    """Return a copy of a Hessian whose diagonal is a little larger, and positive."""
    metric = hessian.copy()
    diagonal = metric.reshape(-1)[:: len(metric) + 1]
    diagonal *= 1.0 + JITTER
    diagonal += SMALLEST
    return metric


def _quotient(metric: Array, vector: Array) -> Array:
    """Return M^-1 v, or 0 where M is not positive definite.

    By PyTorch, which works on as many threads as it is told: SciPy's would wake others for a hundred unknowns.
    """
    factor, failed = torch.linalg.cholesky_ex(torch.from_numpy(metric))
    if failed:
        return np.zeros_like(vector)
    return cast("Array", torch.cholesky_solve(torch.from_numpy(vector)[:, None], factor).numpy()[:, 0])


@dataclass(frozen=True)
class Newton:
    """Minimise a smooth function of few numbers plus squares and absolute values of its entries and norms of its rows.

    An iteration costs one value, gradient and Hessian, and the solution of a system of as many equations as there are
    unknowns; with absolute values or norms, a descent on the quadratic instead. Steps are halved until the value falls.

    Parameters
    ----------
    terms : the penalty; it must be the problem's own

    References
    ----------
    Boyd & Vandenberghe 2004, Convex Optimization, algorithm 9.5; Lee, Sun & Saunders 2014, Proximal Newton-type methods
    for minimizing composite functions, algorithm 1
    """

    terms: Terms

    def start(self, problem: Problem, point: Tensor) -> ExpandedState:
        """Return the state at ``point``; raise InputError where the smooth part or the penalty is of another kind."""
        if not isinstance(problem.smooth, Expandable):
            raise InputError(
                f"Newton needs a smooth part that gives its Hessian and {type(problem.smooth).__name__} does not: use "
                "NewtonCG or ProximalNewton"
            )
        probe = torch.full_like(point, 0.37)
        if not math.isclose(problem.penalty.value(probe).item(), self.terms.value(probe), rel_tol=1e-5):
            raise InputError(f"terms is {self.terms}, which is not the problem's penalty: give its own strengths")
        return self._at(problem.smooth, point)

    def advance(self, problem: Problem, state: ExpandedState) -> ExpandedState:
        """Return the state after one step; halted where no step lowers the value."""
        # looked at by ``start``: to ask again would take longer than to compute
        smooth = cast("Expandable", problem.smooth)
        found = self._searched(smooth, state, state.numbers.hessian, 1.0)
        if found is None:
            # where all samples are far on one side nothing bends, and a step may lead anywhere; at 0 softmax bends most
            most = self._at(smooth, torch.zeros_like(state.point)).numbers.hessian
            found = self._searched(smooth, state, most, LONGEST)
        return found or replace(state, halted=True)

    def _searched(self, smooth: Expandable, state: ExpandedState, hessian: Array, step: float) -> ExpandedState | None:
        """Return the first state along the step of a Hessian whose value is low enough; None where none is.

        step : of the Hessian's, the longest part that is tried
        """
        at = state.numbers
        direction = _descended(state, hessian) if self.terms.threshold > 0 else at.solved(hessian)
        slope, shape = float(at.gradient @ direction), state.point.shape
        noise = ROUNDING * sys.float_info.epsilon * abs(state.value)
        shortest = SHORTEST * step
        while step >= shortest:
            moved = step * direction
            risen = at.rise(moved) + (_rise_of_norms(state, moved) if self.terms.by_rows else 0.0)
            promised = step * slope + risen
            if promised < 0.0:
                reached = torch.from_numpy((at.point + moved).reshape(shape[::-1]).T)
                found = self._at(smooth, reached.to(state.point.device, state.point.dtype))
                fell = state.value - found.value - risen
                if abs(fell) <= noise:
                    # values no longer tell: the trapezoid of the slopes does
                    fell = -0.5 * step * (slope + float(found.numbers.gradient @ direction)) - risen
                if fell >= -DECREASE * promised:
                    return found
            step *= 0.5
        return None

    def _at(self, smooth: Expandable, point: Tensor) -> ExpandedState:
        value, gradient, hessian = smooth.expansion(point)
        return ExpandedState(point, self.terms, value, gradient, hessian, halted=not math.isfinite(value))


def _descended(state: ExpandedState, hessian: Array) -> Array:
    """Return the way to the minimum of the quadratic with the penalty."""
    at, terms = state.numbers, state.terms
    parts = (_definite(hessian), at.gradient, at.point, at.absolute, at.ridge)
    metric, gradient, point, absolute, ridge = map(torch.from_numpy, parts)
    norms = terms.norms(state.point).cpu() if terms.by_rows else absolute[:0]
    quadratic = Quadratic(metric, gradient, point, absolute, ridge, norms)
    return cast("Array", gram_lasso(quadratic, FORCING * state.violation, SWEEPS).numpy()) - at.point


def _rise_of_norms(state: ExpandedState, moved: Array) -> float:
    """Return by how much the norms of the rows rise along ``moved``."""
    begin, nothing = torch.from_numpy(state.numbers.point), torch.zeros(len(moved), dtype=torch.float64)
    return rise(begin, torch.from_numpy(moved), (nothing, nothing, state.terms.norms(state.point).cpu()))


def _flat(point: Tensor) -> Array:
    """Return the entries of a point as the Hessian has them, all of the first output first, float64."""
    return cast("Array", np.ascontiguousarray(point.detach().cpu().numpy().T, np.float64).reshape(-1))
