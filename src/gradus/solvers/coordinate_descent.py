"""Descent on one weight after the other, for many sparse features of which few matter."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import torch

from gradus.core import unwritten
from gradus.core.errors import InputError
from gradus.core.free_memory import give_back
from gradus.core.protocols import LogLinear
from gradus.kernels import column_descent
from gradus.kernels.column_descent import column_logits, column_products, descend
from gradus.kernels.threads import threads
from gradus.solvers.strong_rule import Sighting
from gradus.solvers.working_columns import ROUNDING, Candidates, WorkingColumns

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.columns import SparseColumns
    from gradus.core.solution import Problem
    from gradus.solvers.terms import Terms

# the weights at hand are descended on until they violate optimality by this fraction of the largest violation
FORCING = 0.1
MOST_SWEEPS = 50
# the strength of absolute values and norms falls by this factor in each iteration, until it is the penalty's own
DROP = 0.3
# candidates whose violations are computed at a time
PART = 1024
# violations below this are rounding
LEAST = 1e-14
# samples times features from which on memory that is free is given back
LARGE = 4_000_000


class Look(NamedTuple):
    """All slopes at a point, and what follows from them.

    Attributes
    ----------
    slopes : of the candidates, (candidates, outputs), float64
    steepest : the penalty would keep every weight at 0 if it were so many times as strong, or more
    scale : the dual point is this times the residuals
    value : of the function and the penalty
    gap : at least value - minimum
    """

    slopes: Tensor
    steepest: float
    scale: float
    value: float
    gap: float


@dataclass(frozen=True)
class CoordinateState:
    """The weights that are to move next, and what was seen where they are.

    Attributes
    ----------
    working : the weights
    candidates : the features from which others may join
    value : of the function and the penalty
    gap : at least value - minimum
    factor : of the penalty's absolute values and norms in the next descent; 1 in the end
    violation : the largest distance of 0 from a candidate's subdifferential at that strength
    shape, dtype : of a point
    sighting : of the candidates' slopes, where the solver remembers them
    """

    working: WorkingColumns
    candidates: Candidates
    value: float
    gap: float
    factor: float
    violation: float
    shape: tuple[int, int]
    dtype: torch.dtype
    halted: bool = False
    sighting: Sighting | None = None

    @cached_property
    def point(self) -> Tensor:
        """The whole point, made when it is asked for."""
        point = unwritten.zeros(self.shape, self.dtype)
        point[-1] = self.working.coordinates.intercept.to(self.dtype)
        if len(self.working.features):
            point[self.working.features] = self.working.weights.to(self.dtype)
        return point

    @property
    def residual(self) -> float:
        """The square root of the gap relative to the value."""
        return math.sqrt(max(self.gap, 0.0) / max(abs(self.value), torch.finfo(torch.float64).tiny))


@dataclass(frozen=True)
class CoordinateDescent:
    """Minimise a log-linear model plus absolute values and squares of its weights, and norms of their rows.

    An iteration descends on a working set of weights, of whole rows where their norms count, and then looks at all
    slopes. Those that are steepest join. The strength of the absolute values and norms begins near the one that keeps
    every weight at 0 and falls by a factor of 0.3 in each iteration, so that the sets grow with the solution; the gap
    is always that of the penalty's own strength. Features leave for good by two rules that are safe, which is to say
    that the minimum has no weight there:
    sum_i w_i |x_ij| < l1, known beforehand, and

    s |g_jk| + sqrt(sum_i w_i x_ij^2) sqrt(gap / 2) < l1  for every output k

    at the dual point s r with the slopes s g, because the dual function is Shannon's entropy, whose strong concavity
    (Pinsker) puts the optimal residuals within sum_i w_i (r_ik - r*_ik)^2 <= gap / 2 for each k. Of rows the slopes'
    norms are compared instead, after soft-thresholding at l1, with sum_i w_i |r_i - r*_i|^2 <= gap. Weights, logits and
    slopes are in float64 throughout; a copy of the working columns is made anew in every iteration.

    Parameters
    ----------
    terms : the penalty; it must be the problem's own, and absolute values or norms must be part of it
    sweeps : most sweeps over the working set in one iteration, positive
    remembers : whether states hold the slopes, from which ``follow`` begins at the next strength of a path

    References
    ----------
    Ndiaye, Fercoq, Gramfort & Salmon 2017, Gap safe screening rules for sparsity enforcing penalties, theorem 6;
    Massias, Gramfort & Salmon 2018, Celer: a fast solver for the lasso with dual extrapolation (working sets)
    """

    terms: Terms
    sweeps: int = MOST_SWEEPS
    remembers: bool = False

    def __post_init__(self) -> None:
        if not (self.terms.absolute + self.terms.norm > 0 and self.sweeps > 0):
            raise InputError(
                f"terms.absolute is {self.terms.absolute}, terms.norm {self.terms.norm} and sweeps {self.sweeps}; "
                "expected positive numbers, of the first two at least one: without them use LBFGS"
            )

    def start(self, problem: Problem, point: Tensor) -> CoordinateState:
        """Return the state at ``point``; raise InputError where the smooth part or the penalty is of another kind."""
        smooth = _log_linear(problem)
        self._check(problem, point)
        with threads(None):
            candidates, working = Candidates.of(smooth, self.terms), WorkingColumns.of_point(smooth, point, self.terms)
            nothing = (math.inf, math.inf, math.inf, math.inf)
            none = CoordinateState(working, candidates, *nothing, smooth.shape, point.dtype)
            return self._looked(smooth, none, working, smooth.columns(working.features))

    def follow(self, problem: Problem, last: CoordinateState) -> CoordinateState:
        """Return the state from which to go on where ``last`` ended under a stronger penalty of the same problem.

        What is to move is guessed by the strong rule, without a look: the gap is unknown, and the value at most that
        of ``last``.
        """
        smooth, sighting = _log_linear(problem), last.sighting
        self._check(problem, last.point)
        if sighting is None:
            raise InputError("last holds no slopes: give the state of a solver that remembers them")
        candidates = Candidates.of(smooth, self.terms)
        slopes = sighting.slopes_of(candidates)
        largest = 1.0 / max(self.terms.feasible(slopes), torch.finfo(torch.float64).tiny)
        factor = max(1.0, DROP * largest)
        stronger = self.terms.times(factor)
        violation = _violation(stronger, last.working.of_candidates(candidates), slopes)
        following = last.working.next(candidates, slopes, stronger, least=sighting.limit(stronger))
        none = CoordinateState(following, candidates, last.value, math.inf, factor, violation, last.shape, last.dtype)
        return replace(none, sighting=Sighting(self.terms, candidates, slopes))

    def advance(self, problem: Problem, state: CoordinateState) -> CoordinateState:
        """Return the state after a descent on the working set."""
        with threads(None):
            return self._descended(_log_linear(problem), state)

    def _descended(self, smooth: LogLinear, state: CoordinateState) -> CoordinateState:
        working = state.working
        columns = smooth.columns(working.features)
        stronger = self.terms.times(state.factor)
        terms = column_descent.Terms(
            smooth.shares,
            *_pulls(smooth, columns, working),
            stronger.absolute,
            stronger.square,
            stronger.norm,
            smooth.baseline,
        )
        _give_back(smooth)
        ended = descend(columns, working.coordinates, terms, max(FORCING * state.violation, LEAST), self.sweeps)
        moved = WorkingColumns(working.features, ended.coordinates)
        after = self._looked(smooth, state, moved, columns)
        still = (
            state.factor == after.factor
            and after.value >= state.value
            and after.gap >= state.gap
            and after.violation >= state.violation
        )
        return replace(after, halted=after.halted or still)

    def _looked(
        self, smooth: LogLinear, before: CoordinateState, working: WorkingColumns, columns: SparseColumns
    ) -> CoordinateState:
        """Return the state at the weights of ``working``, with those that join, and without the screened features."""
        candidates = before.candidates
        _give_back(smooth)
        look = self._look(smooth, working, candidates, columns)
        _give_back(smooth)
        factor = max(1.0, DROP * min(before.factor, look.steepest))
        stronger = self.terms.times(factor)
        violation = _violation(stronger, working.of_candidates(candidates), look.slopes)
        after = replace(before, value=look.value, gap=look.gap, factor=factor, violation=violation)
        if not math.isfinite(look.value):
            return replace(after, working=working, gap=math.inf, halted=True)
        if self.remembers:
            seen = before.sighting or Sighting(self.terms, candidates, look.slopes)
            after = replace(after, sighting=seen.updated(candidates, look.slopes))
        apart = max(look.gap, 0.0) * (1.0 if self.terms.by_rows else 0.5)
        steepness = look.scale * self.terms.times(1.0 / look.scale).steepest_of_rows(look.slopes)
        keep = steepness + candidates.norms * math.sqrt(apart) >= (1.0 - ROUNDING) * self.terms.threshold
        candidates, slopes = candidates.kept(keep), look.slopes[keep]
        following = working.next(candidates, slopes, stronger)
        return replace(after, working=following, candidates=candidates)

    def _look(self, smooth: LogLinear, working: WorkingColumns, candidates: Candidates, columns: SparseColumns) -> Look:
        value, residual = smooth.value_and_residual(column_logits(columns, working.coordinates, len(smooth.shares)).t())
        _give_back(smooth)
        slopes = smooth.slopes(residual, candidates.features)
        terms = self.terms
        value += terms._replace(rows=len(working.features)).value(working.weights)
        scale = terms.feasible(slopes)
        largest = 1.0 / scale if scale > 0 else math.inf
        scale = min(1.0, (1.0 - ROUNDING) * scale)
        dual = smooth.dual_value(residual, scale)
        if terms.square > 0 and scale < 1.0:
            excess = (terms.steepness(slopes) - terms.threshold).clamp_min(0.0)
            whole = smooth.dual_value(residual, 1.0) - excess.square().sum().item() / (2 * terms.square)
            scale, dual = (1.0, whole) if whole >= dual else (scale, dual)
        return Look(slopes, largest, scale, value, value - dual)

    def _check(self, problem: Problem, point: Tensor) -> None:
        """Raise InputError where the penalty is another: by its value at one point."""
        probe = unwritten.zeros(point.shape, point.dtype)
        probe[0, 0], probe[0, -1], probe[-1, -1] = -0.37, 0.23, 0.61
        # the two rows that are not 0 are enough
        ends = sorted({0, len(point) - 1})
        penalised = self.terms._replace(rows=sum(row < self.terms.rows for row in ends))
        expected = torch.tensor(penalised.value(probe[ends]), dtype=torch.float64)
        if not torch.isclose(problem.penalty.value(probe).double(), expected, rtol=1e-5, atol=0.0):
            raise InputError(f"terms is {self.terms}, which is not the problem's penalty: give its own strengths")


def _pulls(smooth: LogLinear, columns: SparseColumns, working: WorkingColumns) -> tuple[Tensor, Tensor | None]:
    """Return what the labels take from the slopes of the weights at hand, and from that of the intercept."""
    labels = smooth.labels
    return column_products(columns, labels, working.coordinates), labels.sum(dim=0) if smooth.intercept else None


def _violation(terms: Terms, weights: Tensor, slopes: Tensor) -> float:
    """Return the largest distance of 0 from a unit's subdifferential, at slopes of the smooth part."""
    largest = 0.0
    # a part at a time: there are many slopes, and few numbers else are held
    for start in range(0, len(slopes), PART):
        some, steep = weights[start : start + PART], slopes[start : start + PART]
        violations = terms._replace(rows=len(some)).violations(some, steep)
        largest = max(largest, violations.max().item()) if violations.numel() else largest
    return largest


def _give_back(smooth: LogLinear) -> None:
    """Give back memory that is free, where a pass over the data takes longer than to ask for it again."""
    if smooth.shape[0] * len(smooth.shares) >= LARGE:
        give_back()


def _log_linear(problem: Problem) -> LogLinear:
    if not isinstance(problem.smooth, LogLinear):
        raise InputError(
            f"CoordinateDescent needs a smooth part whose features can be had one at a time and "
            f"{type(problem.smooth).__name__} has none: use ProximalGradient"
        )
    return problem.smooth
