"""Newton's method for absolute values and squares: a working set, its Hessian from a part of the data, corrections."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import torch

from gradus.core.errors import InputError
from gradus.core.protocols import Curved
from gradus.kernels.gram_lasso import Quadratic, gram_lasso
from gradus.kernels.threads import threads
from gradus.solvers.proximal_gradient import ProximalGradient, ProximalState

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.solution import Problem

# the model is minimised until its violation is this fraction of the function's
FORCING = 0.1
# entries at zero enter the working set if their slope is above this fraction of the threshold
NEAR = 0.9
# a working set is left when a violation outside it is above this fraction of the largest
OUTSIDE = 0.5
LEAST_ENTRIES, LEAST_ROWS = 100, 512
# a model without success is replaced by one from so many times the rows, up to so many times those at first
MORE_ROWS, MOST_ROWS = 4, 16
# added to the Hessian's diagonal, relative to it and to its mean
JITTER = 1e-6
SHORTEST, DECREASE = 1e-4, 1e-4
# a relative fall of the value below which the Hessian is taken to stay as it is
STILL = 1e-3
# the factor within which a good model predicts the curvature along a step
NEARLY = 1.5
LEAST_CURVATURE = 1e-8
# most arithmetic of a descent on the model, as sweeps times the square of the entries, and fewest and most sweeps
DESCENT, FEWEST_SWEEPS, MOST_SWEEPS = 1e9, 300, 20_000


class Terms(NamedTuple):
    """The penalty absolute |x_i| + square x_i^2 / 2 of the first ``rows`` rows of a matrix; those below are free."""

    absolute: float
    square: float
    rows: int

    def strengths(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return both strengths of every entry of the flat ``point``, float64."""
        penalised = torch.zeros(point.shape, dtype=torch.float64, device=point.device)
        penalised[: self.rows] = 1.0
        return self.absolute * penalised.ravel(), self.square * penalised.ravel()


@dataclass(frozen=True)
class WorkingModel:
    """The entries that move, and the smooth part's Hessian among them as far as it is known."""

    entries: Tensor
    hessian: Tensor
    trusted: bool


@dataclass(frozen=True)
class ProximalNewtonState:
    """Point, smooth value and gradient; the working model, if there is one yet; rows of data per entry in it.

    With too many entries for a model, ``accelerated`` is where the first-order method has got to, and goes on.
    """

    point: Tensor
    value: float
    gradient: Tensor
    residual: float
    working: WorkingModel | None
    rows_per_entry: float
    halted: bool = False
    accelerated: ProximalState | None = None


@dataclass(frozen=True)
class ProximalNewton:
    """Minimise a smooth function of a matrix plus absolute values and squares of its entries.

    Every iteration minimises g . (x+ - x) + (x+ - x)' B (x+ - x) / 2 + h(x+) over a working set by coordinate descent
    and goes there, or part of the way. The working set is the entries that are not zero and as many again of those
    that violate optimality most. B is the Hessian among them from ``rows_per_entry`` times as many evenly spaced rows
    of data, and is kept, and corrected by the true change of the gradient (BFGS), while it predicts that change
    well. So an iteration near the minimum costs one value and gradient of the smooth part, and no pass more.

    Parameters
    ----------
    terms : the penalty; it must be the problem's own
    rows_per_entry : positive. More make a better B that costs more
    most_entries : largest working set, positive; B has its square of numbers
    dense : goes on, from where the iteration is, once a working set of that size is too small
    rounding : relative error of a value, in units of the dtype's epsilon; smaller differences decide nothing

    References
    ----------
    Lee, Sun & Saunders 2014, Proximal Newton-type methods for minimizing composite functions, algorithm 1;
    Hsieh, Sustik, Dhillon & Ravikumar 2014, QUIC (the free set); Byrd, Hansen, Nocedal & Singer 2016 (rows for B)
    """

    terms: Terms
    rows_per_entry: float = 6.0
    most_entries: int = 2500
    dense: ProximalGradient = field(default_factory=ProximalGradient)
    rounding: float = 8.0

    def __post_init__(self) -> None:
        if not (self.rows_per_entry > 0 and self.most_entries > 0):
            raise InputError(
                f"rows_per_entry is {self.rows_per_entry} and most_entries {self.most_entries}; "
                "expected positive numbers"
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
        return self._state(point, (value, gradient), None, self.rows_per_entry)

    def advance(self, problem: Problem, state: ProximalNewtonState) -> ProximalNewtonState:
        """Return the state after one step, or the same point with a better model where the step led nowhere."""
        if state.accelerated is not None or int(self._held(state.point).sum()) > self.most_entries:
            return self._accelerated(problem, state)
        violations = self._violations(state.point, state.gradient)
        working = self._kept(state, violations)
        if working is None and state.working is not None and len(state.working.entries) >= self.most_entries:
            return self._accelerated(problem, state)
        working = working or self._built(problem, state)
        stepped = self._stepped(problem, state, working, FORCING * violations.max().item())
        if stepped is not None:
            return stepped
        more = state.rows_per_entry if working is state.working else MORE_ROWS * state.rows_per_entry
        halted = more > MOST_ROWS * self.rows_per_entry
        return replace(state, working=None, rows_per_entry=more, halted=halted)

    def _check(self, problem: Problem, probe: Tensor) -> None:
        absolute, square = (part.reshape(probe.shape) for part in self.terms.strengths(probe))
        expected = probe.sign() * (probe.double().abs() - absolute).clamp_min(0.0) / (1.0 + square)
        if not torch.allclose(problem.penalty.prox(probe, 1.0).double(), expected, rtol=1e-4, atol=1e-6):
            raise InputError(f"terms is {self.terms}, which is not the problem's penalty: give its own strengths")

    def _violations(self, point: Tensor, gradient: Tensor) -> Tensor:
        """Return the distance of 0 from every entry's subdifferential, (entries,), float64."""
        absolute, square = self.terms.strengths(point)
        flat = point.ravel().double()
        slope = gradient.ravel().double() + square * flat
        return torch.where(flat != 0, (slope + absolute * flat.sign()).abs(), (slope.abs() - absolute).clamp_min(0.0))

    def _kept(self, state: ProximalNewtonState, violations: Tensor) -> WorkingModel | None:
        """Return the state's working model where it is trusted and no entry outside it matters more."""
        if state.working is None or not state.working.trusted:
            return None
        outside = violations.clone()
        outside[state.working.entries] = 0.0
        return state.working if outside.max() <= OUTSIDE * violations.max() else None

    def _built(self, problem: Problem, state: ProximalNewtonState) -> WorkingModel:
        assert isinstance(problem.smooth, Curved)
        entries = self._entries(state)
        samples = LEAST_ROWS + math.ceil(state.rows_per_entry * len(entries))
        hessian = problem.smooth.hessian_among(state.point, entries, samples)
        diagonal = hessian.diagonal()
        diagonal.add_(JITTER * (diagonal + diagonal.mean().clamp_min(torch.finfo(torch.float32).tiny)))
        return WorkingModel(entries, hessian, trusted=True)

    def _entries(self, state: ProximalNewtonState) -> Tensor:
        """Return the free and the non-zero entries and as many of those nearest to moving, column by column."""
        held = self._held(state.point).ravel()
        near = (state.gradient.ravel().double().abs() - NEAR * self.terms.absolute).clamp_min(0.0)
        rank = near.masked_fill(held, math.inf)
        count = int(held.sum())
        size = min(count + max(count, LEAST_ENTRIES), self.most_entries, int((rank > 0).sum()))
        chosen = rank.topk(size, sorted=False).indices.sort().values
        return chosen[torch.argsort(chosen % state.point.shape[1], stable=True)]

    def _accelerated(self, problem: Problem, state: ProximalNewtonState) -> ProximalNewtonState:
        before = state.accelerated or self.dense.start(problem, state.point)
        after = self.dense.advance(problem, before)
        fields = (after.point, state.value, state.gradient, after.residual, None, state.rows_per_entry)
        return ProximalNewtonState(*fields, after.halted, after)

    def _held(self, point: Tensor) -> Tensor:
        """Return where ``point`` is free or not zero."""
        held = point != 0
        held[self.terms.rows :] = True
        return held

    def _stepped(
        self, problem: Problem, state: ProximalNewtonState, working: WorkingModel, tolerance: float
    ) -> ProximalNewtonState | None:
        """Return the state at the first point towards the model's minimum that is low enough; None where none is."""
        entries = working.entries
        begin, slopes = (part.ravel()[entries].double() for part in (state.point, state.gradient))
        absolute, square = (part[entries] for part in self.terms.strengths(state.point))
        quadratic = Quadratic(working.hessian, slopes, begin, absolute, square)
        direction = gram_lasso(quadratic, tolerance, _sweeps(len(entries))) - begin
        size = abs(state.value + problem.penalty.value(state.point).item())
        noise = self.rounding * torch.finfo(state.point.dtype).eps * size
        step = 1.0
        while step >= SHORTEST:
            point = state.point.clone()
            point.view(-1)[entries] = (begin + step * direction).to(point.dtype)
            moved = point.ravel()[entries].double() - begin
            value, gradient = problem.smooth.value_and_gradient(point)
            rise = _rise(begin, moved, (absolute, square))
            change = gradient.ravel()[entries].double() - slopes
            predicted = (slopes * moved + rise).sum().item()
            fall = state.value - value.item() - rise.sum().item()
            if abs(fall) <= noise:
                # values no longer tell: the trapezoid of the slopes does
                fall = -predicted - 0.5 * (change @ moved).item()
            if predicted < 0 and fall >= -DECREASE * predicted:
                corrected, good = _corrected(working, moved, change)
                # after so small a fall the curvature is the same, and a new model would only lose corrections
                trusted = (good and step == 1.0) or fall <= STILL * size
                return self._state(point, (value, gradient), replace(corrected, trusted=trusted), state.rows_per_entry)
            step *= 0.5
        return None

    def _state(
        self, point: Tensor, smooth: tuple[Tensor, Tensor], working: WorkingModel | None, rows_per_entry: float
    ) -> ProximalNewtonState:
        value, gradient = smooth[0].item(), smooth[1]
        residual = math.sqrt(max(self._gap_estimate(point, value, gradient), 0.0))
        halted = residual == 0.0 or not math.isfinite(value)
        return ProximalNewtonState(point, value, gradient, residual, working, rows_per_entry, halted)

    def _gap_estimate(self, point: Tensor, value: float, gradient: Tensor) -> float:
        """Return a duality gap relative to the value, as if the smooth part were not negative and its minimum 0.

        For such f the conjugate obeys f*(s g) <= s (<g, x> - f(x)), so that the gap at the dual point s g is at most
        (1 - s) f(x) + h(x) + s <g, x> + h*(-s g).
        """
        terms = self.terms
        wide, slopes = point[: terms.rows].double(), gradient[: terms.rows].double()
        penalty = (terms.absolute * wide.abs().sum() + 0.5 * terms.square * wide.square().sum()).item()
        product = (wide * slopes).sum().item()
        unbalanced = gradient[terms.rows :].double().abs().sum().item()
        excess = (slopes.abs() - terms.absolute).clamp_min(0.0)
        largest = slopes.abs().max().item()
        scale = min(1.0, terms.absolute / largest) if largest > 0 else 1.0
        gap = (1 - scale) * value + penalty + scale * product
        if terms.square > 0:
            gap = min(gap, penalty + product + excess.square().sum().item() / (2 * terms.square))
        return (gap + unbalanced) / max(value + penalty, torch.finfo(torch.float64).tiny)


def _sweeps(entries: int) -> int:
    return int(min(max(DESCENT / max(entries, 1) ** 2, FEWEST_SWEEPS), MOST_SWEEPS))


def _rise(begin: Tensor, moved: Tensor, strengths: tuple[Tensor, Tensor]) -> Tensor:
    """Return by how much the penalty of each entry rises from ``begin`` to ``begin + moved``, without cancellation."""
    absolute, square = strengths
    return absolute * ((begin + moved).abs() - begin.abs()) + square * moved * (begin + 0.5 * moved)


def _corrected(working: WorkingModel, moved: Tensor, change: Tensor) -> tuple[WorkingModel, bool]:
    """Return the model whose Hessian maps ``moved`` to ``change``, the gradient's (BFGS); and whether it nearly did."""
    with threads(None):
        # on one thread, so that the sums do not depend on how many there are
        bent = working.hessian @ moved
    expected, found = (moved @ bent).item(), (moved @ change).item()
    # without positive curvature, which rounding can make, the correction would break positive definiteness
    if not (expected > 0 and found > LEAST_CURVATURE * expected):
        return working, False
    hessian = torch.addr(working.hessian, bent, bent, alpha=-1 / expected).addr_(change, change, alpha=1 / found)
    return WorkingModel(working.entries, hessian, trusted=True), 1 / NEARLY <= found / expected <= NEARLY
