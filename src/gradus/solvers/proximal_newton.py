"""Newton's method for absolute values, squares and norms: a working set, its Hessian from some of the data."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.core.free_memory import give_back
from gradus.core.protocols import Curved
from gradus.solvers.factored_model import FactoredModel
from gradus.solvers.proximal_gradient import ProximalGradient, ProximalState
from gradus.solvers.terms import Terms, rise
from gradus.solvers.working_model import Selection, WorkingModel

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.solution import Problem

# a working set is left when a violation outside it is above this fraction of the largest
OUTSIDE = 0.5
# a model without success is replaced by one from so many times the rows, up to so many times those at first
MORE_ROWS, MOST_ROWS = 4, 16
# the fraction of the largest working set from which on there is too little room for what wants to move
CROWDED = 0.95
SHORTEST, DECREASE = 1e-4, 1e-4
# a relative fall of the value below which the Hessian is taken to stay as it is
STILL = 1e-3
# the fraction of the units that moved before from which on as many move
SETTLED = 0.97
# the strength of absolute values and norms falls by this factor in each iteration, until it is the penalty's own
DROP = 0.3
# relative error of a value, in units of the dtype's epsilon; smaller differences decide nothing
ROUNDING = 8.0


@dataclass(frozen=True)
class ProximalNewtonState:
    """Point, smooth value and gradient; the working model, if there is one yet; rows of data per entry in it.

    ``factored`` tells whether a Kronecker product has served for the Hessian so far, and ``factor`` how many times as
    strong absolute values and norms are in the next iteration; 1 in the end. With too many rows for any model,
    ``accelerated`` is where the first-order method has got to, and goes on.
    """

    point: Tensor
    value: float
    gradient: Tensor
    residual: float
    working: WorkingModel | FactoredModel | None
    rows_per_entry: float
    factored: bool = True
    halted: bool = False
    accelerated: ProximalState | None = None
    factor: float = 1.0


@dataclass(frozen=True)
class ProximalNewton:
    """Minimise a smooth function of a matrix plus absolute values and squares of its entries and norms of its rows.

    Every iteration minimises g . (x+ - x) + (x+ - x)' B (x+ - x) / 2 + h(x+) over a working set by block descent and
    goes there, or part of the way. B is kept, and corrected by the true change of the gradient (BFGS), while it
    predicts that change well. So an iteration near the minimum costs one value and gradient of the smooth part, and no
    pass more.

    At first the working set is all rows, and B the nearest Kronecker product to the Hessian. Where that predicts badly,
    the working set becomes the units (entries, or rows where their norms are penalised) that are not zero and as many
    again of those nearest to moving, and B the Hessian among their entries from ``rows_per_entry`` times as many rows
    of data, drawn by how much they bend the loss; a start that is not 0 begins there. With too many entries for that,
    the product and its corrections have to do. The strength of absolute values and norms begins near the one that keeps
    every weight at 0 and falls by a factor of 0.3 in each iteration, so that the sets grow with the solution; values
    and gaps are always those of the penalty's own strength.

    Parameters
    ----------
    terms : the penalty; it must be the problem's own
    rows_per_entry : positive. More make a better B that costs more
    most_entries : largest working set of entries, positive; B has its square of numbers
    most_rows : largest working set of rows, positive; the product's larger factor has its square of numbers
    dense : goes on, from where the iteration is, once a working set of that many rows is nearly full

    References
    ----------
    Lee, Sun & Saunders 2014, Proximal Newton-type methods for minimizing composite functions, algorithm 1;
    Hsieh, Sustik, Dhillon & Ravikumar 2014, QUIC (the free set); Byrd, Hansen, Nocedal & Singer 2016 (rows for B);
    Martens & Grosse 2015, Optimizing neural networks with Kronecker-factored approximate curvature (the product)
    """

    terms: Terms
    rows_per_entry: float = 2.0
    most_entries: int = 6000
    most_rows: int = 4096
    dense: ProximalGradient = field(default_factory=ProximalGradient)

    def __post_init__(self) -> None:
        if not (self.rows_per_entry > 0 and self.most_entries > 0 and self.most_rows > 0):
            raise InputError(
                f"rows_per_entry is {self.rows_per_entry}, most_entries {self.most_entries} and most_rows "
                f"{self.most_rows}; expected positive numbers"
            )

    def start(self, problem: Problem, point: Tensor) -> ProximalNewtonState:
        """Return the state at ``point``; raise InputError where the smooth part or the penalty is of another kind."""
        if not isinstance(problem.smooth, Curved):
            raise InputError(
                f"ProximalNewton needs a smooth part with a Hessian among entries and "
                f"{type(problem.smooth).__name__} has none: use ProximalGradient"
            )
        value, gradient = problem.smooth.value_and_gradient(point)
        self._check(problem, point - gradient)
        state = self._state(point, (value, gradient), None, self.rows_per_entry)
        # far from 0 the samples' probabilities differ, and a product is no more than a guess
        return replace(state, factored=not point[: self.terms.rows].any(), factor=self._first_factor(gradient))

    def _first_factor(self, gradient: Tensor) -> float:
        """Return how many times the penalty's own the strength is at first: near what keeps every weight at 0."""
        kept = self.terms.feasible(gradient[: self.terms.rows].double())
        return max(DROP / kept, 1.0) if kept > 0 else 1.0

    def advance(self, problem: Problem, state: ProximalNewtonState) -> ProximalNewtonState:
        """Return the state after one step, or the same point with a better model where the step led nowhere."""
        if state.accelerated is not None or self._is_overfull(state):
            return self._accelerated(problem, state)
        if state.factor > 1:
            stronger = replace(self, terms=self.terms.times(state.factor))
            found = stronger._advanced(problem, state)
            residual, halted = self._residual(found.point, found.value, found.gradient), not math.isfinite(found.value)
            return replace(found, residual=residual, halted=halted, factor=max(DROP * state.factor, 1.0))
        return self._advanced(problem, state)

    def _advanced(self, problem: Problem, state: ProximalNewtonState) -> ProximalNewtonState:
        violation = self.terms.violations(state.point, state.gradient).max().item()
        working = state.working or self._rebuilt(problem, state)
        stepped = self._stepped(problem, state, working, violation)
        if stepped is not None:
            # a model that has served is let go before the next is built: each may be a tenth of the data
            return stepped if self._is_kept(stepped) else replace(stepped, working=None)
        if isinstance(working, FactoredModel) and not self._is_crowded(state.point):
            return replace(state, working=None, factored=False)
        more = state.rows_per_entry if working is state.working else MORE_ROWS * state.rows_per_entry
        halted = more > MOST_ROWS * self.rows_per_entry
        return replace(state, working=None, rows_per_entry=more, halted=halted)

    def _is_crowded(self, point: Tensor) -> bool:
        """Whether so many entries have to move that a model of entries has next to no room for others."""
        width = point.shape[1] if self.terms.by_rows else 1
        return int(self.terms.held(point).sum()) * width > CROWDED * self.most_entries

    def _shrinks(self, before: Tensor, after: Tensor) -> bool:
        """Whether fewer units are free or not zero than before, by far: what costs most waits for them to settle."""
        return int(self.terms.held(after).sum()) < SETTLED * int(self.terms.held(before).sum())

    def _is_overfull(self, state: ProximalNewtonState) -> bool:
        """Whether so many entries and rows have to move that neither model has room for others."""
        rows = len(state.point)
        if rows <= self.most_rows or not self._is_crowded(state.point):
            return False
        return int(self.terms.held(state.point).reshape(rows, -1).any(dim=1).sum()) > CROWDED * self.most_rows

    def _rebuilt(self, problem: Problem, state: ProximalNewtonState) -> WorkingModel | FactoredModel:
        # what the model before left rarely fits the next, nor what its making leaves the corrections
        give_back()
        working = self._built(problem, state)
        give_back()
        return working

    def _built(self, problem: Problem, state: ProximalNewtonState) -> WorkingModel | FactoredModel:
        assert isinstance(problem.smooth, Curved)
        parts = (self.terms, state.point, state.gradient)
        if state.factored or self._is_crowded(state.point):
            rows = Selection.of_rows(*parts, self.most_rows)
            return FactoredModel.built(problem.smooth, state.point, rows, state.rows_per_entry)
        selection = Selection.of(*parts, self.most_entries)
        return WorkingModel.built(problem.smooth, state.point, selection, state.rows_per_entry)

    def _check(self, problem: Problem, probe: Tensor) -> None:
        expected = self.terms.prox(probe)
        if not torch.allclose(problem.penalty.prox(probe, 1.0).double(), expected, rtol=1e-4, atol=1e-6):
            raise InputError(f"terms is {self.terms}, which is not the problem's penalty: give its own strengths")

    def _is_kept(self, state: ProximalNewtonState) -> bool:
        """Whether the state's working model is trusted, and no entry outside it matters more."""
        if state.working is None or not state.working.trusted:
            return False
        violations = self.terms.violations(state.point, state.gradient)
        largest = violations.max()
        violations[state.working.selection.units] = 0.0
        return bool(violations.max() <= OUTSIDE * largest)

    def _accelerated(self, problem: Problem, state: ProximalNewtonState) -> ProximalNewtonState:
        before = state.accelerated or self.dense.start(problem, state.point)
        after = self.dense.advance(problem, before)
        fields = (after.point, state.value, state.gradient, after.residual, None, state.rows_per_entry)
        return ProximalNewtonState(*fields, state.factored, after.halted, after)

    def _stepped(
        self, problem: Problem, state: ProximalNewtonState, working: WorkingModel | FactoredModel, violation: float
    ) -> ProximalNewtonState | None:
        """Return the state at the first point towards the model's minimum that is low enough; None where none is."""
        entries = working.selection.entries
        begin, slopes = (part.ravel()[entries].double() for part in (state.point, state.gradient))
        strengths = self._strengths(state.point, working.selection)
        direction = working.minimised(begin, slopes, strengths, violation) - begin
        size = abs(state.value + problem.penalty.value(state.point).item())
        noise = ROUNDING * torch.finfo(state.point.dtype).eps * size
        step = 1.0
        while step >= SHORTEST:
            point = state.point.clone()
            point.view(-1)[entries] = (begin + step * direction).to(point.dtype)
            moved = point.ravel()[entries].double() - begin
            value, gradient = problem.smooth.value_and_gradient(point)
            risen = rise(begin, moved, strengths)
            change = gradient.ravel()[entries].double() - slopes
            predicted = (slopes @ moved).item() + risen
            fall = state.value - value.item() - risen
            if abs(fall) <= noise:
                # values no longer tell: the trapezoid of the slopes does
                fall = -predicted - 0.5 * (change @ moved).item()
            if predicted < 0 and fall >= -DECREASE * predicted:
                corrected, good = working.corrected(moved, change)
                good = good and step == 1.0
                if isinstance(corrected, FactoredModel):
                    good = good or self._is_crowded(point) or self._shrinks(state.point, point)
                    found = self._state(point, (value, gradient), corrected if good else None, state.rows_per_entry)
                    return replace(found, factored=state.factored and good)
                # after so small a fall the curvature is the same, and a new model would only lose corrections
                corrected = replace(corrected, trusted=good or fall <= STILL * size)
                found = self._state(point, (value, gradient), corrected, state.rows_per_entry)
                return replace(found, factored=state.factored)
            step *= 0.5
        return None

    def _state(
        self,
        point: Tensor,
        smooth: tuple[Tensor, Tensor],
        working: WorkingModel | FactoredModel | None,
        rows_per_entry: float,
    ) -> ProximalNewtonState:
        value, gradient = smooth[0].item(), smooth[1]
        residual = self._residual(point, value, gradient)
        halted = residual == 0.0 or not math.isfinite(value)
        return ProximalNewtonState(point, value, gradient, residual, working, rows_per_entry, halted=halted)

    def _residual(self, point: Tensor, value: float, gradient: Tensor) -> float:
        return math.sqrt(max(self.terms.gap_estimate(point, value, gradient), 0.0))

    def _strengths(self, point: Tensor, selection: Selection) -> tuple[Tensor, Tensor, Tensor]:
        absolute, square = (part[selection.entries] for part in self.terms.strengths(point))
        norms = self.terms.norms(point)[selection.units] if self.terms.by_rows else absolute.new_empty(0)
        return absolute, square, norms
