"""Newton's method with the Hessian as numbers, for few unknowns."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.core.protocols import Expandable

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.solution import Problem
    from gradus.solvers.terms import Terms

# added to the Hessian's diagonal, relative to it: what rounding may take from its eigenvalues
JITTER = 1e-12
# a step is halved down to this part of the longest, and brings that share of what the slope promises
SHORTEST, DECREASE = 1e-3, 1e-4
# of the step where nothing bends
LONGEST = 256.0
# relative error of a value in units of the epsilon of float64: a smaller fall is measured by the slopes instead
ROUNDING = 64.0


@dataclass(frozen=True)
class ExpandedState:
    """The point, and the objective's value, gradient and Hessian there, float64."""

    point: Tensor
    value: float
    gradient: Tensor
    hessian: Tensor
    halted: bool = False

    @property
    def residual(self) -> float:
        """Norm of the gradient."""
        return float(torch.linalg.vector_norm(self.gradient))


@dataclass(frozen=True)
class Newton:
    """Minimise a smooth function of few numbers plus squares of its entries.

    An iteration costs one value, gradient and Hessian, and the solution of a system of as many equations as there are
    unknowns. Steps are halved until the value falls.

    Parameters
    ----------
    terms : the penalty; it must be the problem's own, of squares alone

    References
    ----------
    Boyd & Vandenberghe 2004, Convex Optimization, algorithm 9.5
    """

    terms: Terms

    def __post_init__(self) -> None:
        if self.terms.absolute != 0 or self.terms.norm != 0:
            raise InputError(
                f"terms is {self.terms}, which has a kink; expected absolute and norm of 0: use ProximalNewton"
            )

    def start(self, problem: Problem, point: Tensor) -> ExpandedState:
        """Return the state at ``point``; raise InputError where the smooth part or the penalty is of another kind."""
        if not isinstance(problem.smooth, Expandable):
            raise InputError(
                f"Newton needs a smooth part that gives its Hessian and {type(problem.smooth).__name__} does not: use "
                "NewtonCG"
            )
        probe = torch.full_like(point, 0.37)
        expected = torch.tensor(self.terms.value(probe), dtype=torch.float64)
        if not torch.isclose(problem.penalty.value(probe).double(), expected, rtol=1e-5, atol=0.0):
            raise InputError(f"terms is {self.terms}, which is not the problem's penalty: give its own strengths")
        return self._at(problem.smooth, point)

    def advance(self, problem: Problem, state: ExpandedState) -> ExpandedState:
        """Return the state after one step; halted where no step lowers the value."""
        assert isinstance(problem.smooth, Expandable)
        found = self._searched(problem.smooth, state, state.hessian, 1.0)
        if found is None:
            # where all samples are far on one side nothing bends, and a step may lead anywhere; at 0 softmax bends most
            most = self._at(problem.smooth, torch.zeros_like(state.point)).hessian
            found = self._searched(problem.smooth, state, most, LONGEST)
        return found or replace(state, halted=True)

    def _searched(self, smooth: Expandable, state: ExpandedState, hessian: Tensor, step: float) -> ExpandedState | None:
        """Return the first state along the step of a Hessian whose value is low enough; None where none is.

        step : of the Hessian's, the longest part that is tried
        """
        direction = _direction(hessian, state.gradient)
        slope = float((state.gradient * direction).sum())
        if not slope < 0.0:
            return None
        noise = ROUNDING * torch.finfo(torch.float64).eps * abs(state.value)
        shortest = SHORTEST * step
        while step >= shortest:
            found = self._at(smooth, (state.point.double() + step * direction).to(state.point.dtype))
            fell = state.value - found.value
            if abs(fell) <= noise:
                # values no longer tell: the trapezoid of the slopes does
                fell = -0.5 * step * (slope + float((found.gradient * direction).sum()))
            if fell >= -DECREASE * step * slope:
                return found
            step *= 0.5
        return None

    def _at(self, smooth: Expandable, point: Tensor) -> ExpandedState:
        value, gradient, hessian = smooth.expansion(point)
        wide, rows, square = point[: self.terms.rows].double(), self.terms.rows, self.terms.square
        total = value + 0.5 * square * float(wide.square().sum())
        gradient[:rows] += square * wide
        hessian.diagonal().view(point.shape[1], point.shape[0])[:, :rows] += square
        return ExpandedState(point, total, gradient, hessian, halted=not math.isfinite(total))


def _direction(hessian: Tensor, gradient: Tensor) -> Tensor:
    """Return -H^-1 g, of the point's shape, or 0 where H is not positive definite."""
    rows, outputs = gradient.shape
    metric = hessian.clone()
    metric.diagonal().mul_(1.0 + JITTER).add_(torch.finfo(torch.float32).tiny)
    factor, failed = torch.linalg.cholesky_ex(metric)
    if failed:
        return torch.zeros_like(gradient)
    return -torch.cholesky_solve(gradient.t().reshape(-1, 1), factor).view(outputs, rows).t()
