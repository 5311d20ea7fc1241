"""One fit of a model: in the coordinates that suit its solver, from a point and back to one."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from gradus.core.errors import InputError
from gradus.core.free_memory import give_back
from gradus.estimators.balancing import Balancing
from gradus.estimators.descending import fitted_by_descent
from gradus.estimators.few_unknowns import fitted_by_newton, newton_of_few
from gradus.estimators.gap_estimate import AIM, GapEstimate, Outlook
from gradus.estimators.softmax_problem import Settings, chosen_solver, coordinate_descent, on_weights
from gradus.losses import MappedFeatures
from gradus.penalties import L2
from gradus.solvers import LBFGS, NewtonCG, RenewedLBFGS, Stop, minimize
from gradus.solvers.checkpoint import Checkpoint, Checkpointed

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from gradus.core.protocols import Certificate, Proximable, Solver
    from gradus.core.solution import Solution
    from gradus.losses import CrossEntropy, LinearModel

# by so many units in the last place of the largest number a point may change on the way around the mean and back
ROUNDING = 16
# of the features, where a fit is told from others
ROWS_COMPARED = 64


class Way(NamedTuple):
    """Where a fit begins, when it may end, and where it keeps how far it got.

    Attributes
    ----------
    start : a point of the model as it is given
    bound : the certificate of such points
    checkpoint : None keeps nothing
    """

    start: Tensor
    bound: Certificate
    checkpoint: Checkpoint | None = None

    def stop(self, settings: Settings, certificate: Certificate) -> Stop:
        """Return when to stop, by a certificate of the points that the solver moves through."""
        return Stop(certificate, settings.tol, max(int(settings.max_iter) - self.iterations_before, 0))

    def kept(self, solver: Solver[Any]) -> Solver[Any]:
        """Return the solver, with its states kept where there is a checkpoint."""
        return solver if self.checkpoint is None else Checkpointed(solver, self.checkpoint)

    def walked(self, solution: Solution) -> Solution:
        """Return the solution with the iterations of before, and with the start itself where no step was taken.

        On the way around the mean and back intercepts lose their last digits, which a refit of the same should keep.
        """
        point = solution.point
        rounding = ROUNDING * torch.finfo(point.dtype).eps * float(point.abs().max())
        if solution.iterations == 0 and torch.allclose(point, self.start, rtol=0.0, atol=rounding):
            point = self.start
        return replace(solution, point=point, iterations=solution.iterations + self.iterations_before)

    @property
    def iterations_before(self) -> int:
        """Iterations that the fit took before it was killed."""
        return 0 if self.checkpoint is None else self.checkpoint.before


def checkpoint_of(path: Path, model: LinearModel[CrossEntropy], penalty: Proximable, settings: Settings) -> Checkpoint:
    """Return the file that keeps how far a fit got, with the state that an earlier process left there.

    Two fits are the same if their labels, weights and settings are, and so are the sums of 64 evenly spaced rows;
    tolerance and iteration limit may differ.

    Raises
    ------
    InputError : if there is no such folder, or the file is of another fit
    """
    if not path.parent.is_dir():
        raise InputError(f"checkpoint is {path}, and {path.parent} is no folder: make it, or name a file elsewhere")
    digest = hashlib.blake2b(digest_size=16)
    settled = replace(settings, tol=1.0, max_iter=0)
    digest.update(repr((settled, penalty, model.intercept, model.features.shape, model.features.dtype)).encode())
    samples = model.features.shape[0]
    some = torch.arange(0, samples, max(samples // ROWS_COMPARED, 1))[:ROWS_COMPARED]
    ones = model.weights.new_ones(model.features.shape[1], 1)
    for part in (model.loss.targets, model.weights):
        digest.update(part.cpu().numpy().tobytes())
    for row in some.tolist():
        digest.update(model.features.rows(row, row + 1).times(ones).cpu().numpy().tobytes())
    return Checkpoint(path, digest.hexdigest(), model.features.device)


def solved(plain: LinearModel[CrossEntropy], penalty: Proximable, settings: Settings, way: Way) -> Solution:
    """Minimise ``plain`` plus the penalty; the solution is about the model as it is given.

    Most solvers work around the features' mean, where the problem is better conditioned. A descent on single
    coordinates does not, since that would make sparse features dense.
    """
    descent = coordinate_descent(settings.solver, plain, penalty)
    if descent is not None:
        return fitted_by_descent(plain, descent, penalty, settings, way)
    few = newton_of_few(settings.solver, plain, penalty, kept=way.checkpoint is not None)
    if few is not None:
        return fitted_by_newton(plain, few, penalty, settings, way)
    model = plain.centred()

    solver = chosen_solver(settings.solver, model, penalty, kept=way.checkpoint is not None)

    def bound_of_published(point: Tensor) -> float:
        give_back()
        return way.bound(model.uncentred_point(point))

    balancing = Balancing(model, bound_of_published)
    stop = way.stop(settings, balancing)
    if isinstance(penalty, L2) and isinstance(solver, NewtonCG | LBFGS | RenewedLBFGS):
        solver, stop = _foreseeing(model, penalty.strength, solver, stop, balancing)
    give_back()
    solution = minimize(model, on_weights(penalty, model), model.centred_point(way.start), way.kept(solver), stop)
    solution = balancing.solution(solution)
    return way.walked(replace(solution, point=model.uncentred_point(solution.point)))


def _foreseeing(
    model: LinearModel[CrossEntropy],
    ridge: float,
    solver: NewtonCG | LBFGS | RenewedLBFGS,
    stop: Stop,
    balancing: Balancing,
) -> tuple[Solver[Any], Stop]:
    """Return the solver and when to stop it, with an eye to what its gradient tells of the gap."""
    # of a file another pass is dear, and Newton's method balances the intercept by itself
    in_memory = not isinstance(model.features, MappedFeatures)
    balances = balancing.worthwhile and in_memory and not isinstance(solver, NewtonCG)
    rows = model.features.shape[1]
    estimate = GapEstimate(ridge, rows, 0.0) if balances else GapEstimate.of(model, ridge)
    # on a GPU, where products in float64 are dear beside a gradient, looks are few
    outlook = Outlook(estimate, stop.tolerance, learns=model.features.device.type != "cpu")

    def enough(gradient: Tensor, value: float) -> bool:
        return estimate.at(gradient, value) <= AIM * stop.tolerance

    def promising(state: Any) -> bool:
        if balances:
            balancing.saw(state)
        return outlook.promising(state)

    def looked(point: Tensor) -> float:
        return outlook.looked(balancing(point))

    found = replace(solver, enough=enough) if isinstance(solver, NewtonCG) else solver
    return found, replace(stop, certificate=looked, promising=promising, guess=estimate)
