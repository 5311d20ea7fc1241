"""Fits at falling strengths, each begun where the ones before lead to."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradus.core import progress
from gradus.core.free_memory import give_back
from gradus.core.solution import Problem, Solution
from gradus.estimators.balancing import Balancing
from gradus.estimators.descending import DescentPath
from gradus.estimators.gap_estimate import MARGIN, GapEstimate
from gradus.estimators.softmax_problem import Settings, certificate, coordinate_descent, on_weights
from gradus.estimators.solving import Way, solved
from gradus.kernels.threads import threads
from gradus.losses import leading_rows
from gradus.losses.shared_preconditioner import OutputCurvature, SharedPreconditioner, Spectrum, evaluated
from gradus.penalties import L2
from gradus.solvers import LBFGS, Stop, resume
from gradus.solvers.composite import inner
from gradus.solvers.lbfgs import LBFGSState, Pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from torch import Tensor

    from gradus.core.protocols import Certificate
    from gradus.losses import CrossEntropy, LinearModel

# up to here all eigenvectors of a features x features matrix cost less than the iterations they save
DIAGONALISED_FEATURES = 2048
# rows from which the curvature of each class is estimated, where fits take few iterations and where they take many
FEW_ROWS, MANY_ROWS = 2048, 16_384
MANY_ITERATIONS = 3
# of the last fit that the next begins with: more save no iteration, and a dozen were half of what a path held
KEPT_PAIRS = 2
# of a first step
SHORTEST = 0.05
# how much more than its estimate a gap is expected to be, at most, as a share of the tolerance
MOST_EXCESS = 0.5


@dataclass(frozen=True)
class PathPoint:
    """The fit at one strength: ``solution.certificate`` is its relative gap, ``seconds`` include the certificate."""

    alpha: float
    solution: Solution
    seconds: float


def regularisation_path(
    model: LinearModel[CrossEntropy],
    settings: Settings,
    alphas: Iterable[float],
    spectrum: Spectrum | None = None,
    guide: Mapping[float, Tensor] | None = None,
) -> Iterator[PathPoint]:
    """Minimise at each of ``alphas``, which should fall, and yield each fit as soon as it is found.

    ``model`` is without ``centre``, and so are the points. ``spectrum`` may be that of a model of similar rows (None:
    that of this one), and ``guide`` the points found for similar rows at some strengths; only the speed depends on
    either. ``settings.alpha`` is not looked at.
    """
    centred = model.centred()
    ridge = settings.l1_ratio == 0 and settings.solver in ("auto", "lbfgs")
    if ridge and spectrum is None:
        spectrum = shared_spectrum(model)
    trail = _Trail({math.log(alpha): centred.centred_point(point) for alpha, point in (guide or {}).items()})
    descents: DescentPath | None = None
    for alpha in alphas:
        begun = time.perf_counter()
        give_back()
        at = replace(settings, alpha=float(alpha))
        penalty = at.penalty()
        bound = certificate(model, penalty, settings.tol)
        with threads(None):
            if ridge and spectrum is not None:
                found, trail = _by_quasi_newton(centred, at, _Uncentred(centred, bound), spectrum, trail)
                solution = replace(found, point=centred.uncentred_point(found.point))
            else:
                way = Way(trail.points[-1] if trail.points else model.zeros(), bound)
                descent = coordinate_descent(at.solver, model, penalty)
                if descent is None:
                    solution = solved(model, penalty, at, way)
                else:
                    descents = DescentPath.of(model) if descents is None else descents
                    solution, descents = descents.extended(descent, penalty, at, way)
                trail = trail.extended(math.log(alpha), solution.point, ())
        yield PathPoint(float(alpha), solution, time.perf_counter() - begun)


def shared_spectrum(model: LinearModel[CrossEntropy]) -> Spectrum:
    """Return what all strengths, and all folds of the same rows, share."""
    centred = model.centred()
    return Spectrum.of(centred, diagonal=centred.features.shape[1] > DIAGONALISED_FEATURES)


@dataclass(frozen=True)
class _Uncentred:
    """The certificate of a point in the coordinates of a centred model."""

    model: LinearModel[CrossEntropy]
    bound: Certificate

    def __call__(self, point: Tensor) -> float:
        return self.bound(self.model.uncentred_point(point))


@dataclass(frozen=True)
class _Trail:
    """The last solutions, oldest first, with the logarithms of their strengths, and the last curvature pairs.

    ``guide`` has the solutions for similar rows at some strengths, by their logarithms.
    ``excess`` is by how much the last certified gap was above its estimate. ``many`` is whether a fit has taken many
    iterations: at falling strengths the next ones will too. ``length`` is how far the last first direction, the
    preconditioned gradient, led down, at best, as a multiple.
    """

    guide: Mapping[float, Tensor]
    logarithms: tuple[float, ...] = ()
    points: tuple[Tensor, ...] = ()
    pairs: tuple[Pair, ...] = ()
    excess: float = 0.0
    many: bool = False
    length: float = 1.0

    def extended(self, logarithm: float, point: Tensor, pairs: tuple[Pair, ...]) -> _Trail:
        logarithms, points = (*self.logarithms, logarithm)[-2:], (*self.points, point)[-2:]
        return _Trail(self.guide, logarithms, points, pairs)

    def predicted(self, logarithm: float) -> Tensor | None:
        """Return the solution at the next strength as far as it is known; None where nothing is.

        It is continued from the last ones, and by how far the guide is from what would be continued there.
        """
        own = _continued(self.logarithms, self.points, logarithm)
        known = [self.guide[each] for each in (*self.logarithms, logarithm) if each in self.guide]
        if len(known) <= len(self.logarithms):
            return own
        led = _continued(self.logarithms, known[:-1], logarithm)
        return known[-1] if own is None or led is None else own + (known[-1] - led)

    def pairs_at(self, alpha: float, rows: int) -> tuple[Pair, ...]:
        """Return the pairs as they would have been measured at ``alpha``: the ridge's share of a change is known."""
        if not self.pairs:
            return ()
        more = alpha - math.exp(self.logarithms[-1])
        moved = []
        for pair in self.pairs:
            change = pair.change.clone()
            change[:rows] += more * pair.step[:rows]
            product = (pair.step.double() * change.double()).sum().item()
            if product > 0:
                moved.append(Pair(pair.step, change, product))
        return tuple(moved)


def _continued(logarithms: Sequence[float], points: Sequence[Tensor], logarithm: float) -> Tensor | None:
    """Return the point on the secant of two points; the last where there is no secant, None where there is none."""
    if len(points) < 2 or logarithms[0] == logarithms[1]:
        return points[-1] if points else None
    before, last = logarithms
    return points[1] + (logarithm - last) / (last - before) * (points[1] - points[0])


def _by_quasi_newton(
    model: LinearModel[CrossEntropy], settings: Settings, bound: Certificate, spectrum: Spectrum, trail: _Trail
) -> tuple[Solution, _Trail]:
    """Minimise with squared weights by L-BFGS, from the predicted solution and with the curvature known so far."""
    alpha, rows = settings.alpha, model.features.shape[1]
    start = trail.predicted(math.log(alpha))
    start = model.zeros() if start is None else start
    problem = Problem(model, on_weights(L2(alpha), model))
    # the rows that bend the loss most tell more of the curvature than the changes of the gradient at other strengths
    basis = spectrum.basis if trail.many and leading_rows.enough(model) else None
    begun, curvature = _begun(problem, model, start, MANY_ROWS if trail.many else FEW_ROWS, basis)
    begun = begun if basis is not None else replace(begun, pairs=trail.pairs_at(alpha, rows))

    precondition = _Preconditioner(
        lambda: SharedPreconditioner(spectrum, curvature(), alpha, model.intercept), trail.length
    )
    solver = LBFGS(precondition)
    balancing = Balancing(model, bound)
    spread = 0.0 if balancing.worthwhile else float(spectrum.values.sum()) + alpha / model.loss.typical_curvature()
    estimated = GapEstimate(alpha, rows, spread)

    def promising(state: LBFGSState) -> bool:
        give_back()
        balancing.saw(state)
        return estimated(state) + min(trail.excess, MOST_EXCESS * settings.tol) <= MARGIN * settings.tol

    def certified(point: Tensor) -> float:
        # nearly always the end: what it takes does not come on top of the preconditioner
        precondition.forget()
        give_back()
        return balancing(point)

    stop = Stop(certified, settings.tol, int(settings.max_iter), promising=promising)
    with progress.task("fitting", total=stop.max_iterations) as fitting:
        end = resume(problem, solver, begun, stop, fitting)
    found = end.state
    solution = balancing.solution(end.solution(found.value, stop))
    many = trail.many or end.iterations >= MANY_ITERATIONS
    # the leading rows will tell more than the pairs, which would only be held
    pairs = () if many and leading_rows.enough(model) else found.pairs[-KEPT_PAIRS:]
    extended = trail.extended(math.log(alpha), solution.point, pairs)
    extended = replace(extended, excess=max(end.certificate - estimated(found), 0.0), many=many)
    if basis is not None and 0 < end.iterations == len(found.pairs):
        extended = replace(extended, length=_best_length(begun.gradient, precondition.first, found.pairs[0]))
    return solution, extended


class _Preconditioner:
    """A preconditioner that is made when it is needed, times a length: later steps are scaled by the pairs.

    Many strengths end where the ones before lead to, and never need it.

    Attributes
    ----------
    first : the norm of the first direction, before the length
    """

    first: float

    def __init__(self, make: Callable[[], SharedPreconditioner], length: float) -> None:
        self._make, self._length = make, length
        self._made: SharedPreconditioner | None = None
        self._begun = False

    def __call__(self, gradient: Tensor) -> Tensor:
        """Return the direction that a gradient leads to."""
        if self._made is None:
            give_back()
            self._made = self._make()
        direction = self._made(gradient)
        if not self._begun:
            give_back()
            self.first, self._begun = math.sqrt(inner(direction, direction)), True
        return direction.mul_(self._length)

    def forget(self) -> None:
        """Free its memory; it is made again if it is needed again."""
        self._made = None


def _best_length(gradient: Tensor, direction: float, first: Pair) -> float:
    """Return the t for which the point minus t P g is lowest, by the curvature seen along a first step.

    direction : the norm of P g
    """
    taken = math.sqrt(inner(first.step, first.step)) / direction
    return min(max(taken * -inner(gradient, first.step) / first.product, SHORTEST), 1.0)


def _begun(
    problem: Problem, model: LinearModel[CrossEntropy], start: Tensor, least_rows: int, basis: Tensor | None
) -> tuple[LBFGSState, Callable[[], OutputCurvature]]:
    """Return the state at ``start``, and what gives the curvature there; with a basis the leading rows too."""
    if basis is None or model.samples >= 2 * least_rows:
        return LBFGS().start(problem, start), lambda: OutputCurvature.at(model, start, least_rows, basis)
    # the curvature is that of all rows, and the first gradient looks at them anyway
    value, gradient, curvature = evaluated(model, start, basis)
    return LBFGS().start_from(problem, start, (value, gradient)), lambda: curvature
