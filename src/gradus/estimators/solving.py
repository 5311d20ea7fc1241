"""One fit of a model: in the coordinates that suit its solver, from a point and back to one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradus.estimators.gap_estimate import MARGIN, OPTIMISM, Descending, GapEstimate
from gradus.estimators.softmax_problem import Settings, chosen_solver, coordinate_descent, on_weights
from gradus.losses import SparseFeatures, SparseSoftmax
from gradus.penalties import L2
from gradus.solvers import LBFGS, NewtonCG, Stop, minimize

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Certificate, Proximable
    from gradus.core.solution import Solution
    from gradus.losses import CrossEntropy, LinearModel
    from gradus.solvers import CoordinateDescent
    from gradus.solvers.coordinate_descent import CoordinateState


def solved(
    plain: LinearModel[CrossEntropy], penalty: Proximable, settings: Settings, start: Tensor, bound: Certificate
) -> Solution:
    """Minimise ``plain`` plus the penalty; ``start``, ``bound`` and the solution are about the model as it is given.

    Most solvers work around the features' mean, where the problem is better conditioned. A descent on single
    coordinates does not, since that would make sparse features dense.
    """
    descent = coordinate_descent(settings.solver, plain, penalty)
    if descent is not None:
        return _descended(plain, penalty, settings, start, (bound, descent))
    model = plain.centred()

    def bound_of_published(point: Tensor) -> float:
        return bound(model.uncentred_point(point))

    solver = chosen_solver(settings.solver, model, penalty)
    promising = None
    if isinstance(penalty, L2) and isinstance(solver, NewtonCG | LBFGS):
        estimate = GapEstimate.of(model, penalty.strength)

        def promising(state: Descending) -> bool:
            return OPTIMISM * estimate(state) <= MARGIN * settings.tol

    stop = Stop(bound_of_published, settings.tol, int(settings.max_iter), promising=promising)
    solution = minimize(model, on_weights(penalty, model), model.centred_point(start), solver, stop)
    return replace(solution, point=model.uncentred_point(solution.point))


def _descended(
    plain: LinearModel[CrossEntropy],
    penalty: Proximable,
    settings: Settings,
    start: Tensor,
    method: tuple[Certificate, CoordinateDescent],
) -> Solution:
    bound, descent = method
    assert isinstance(plain.features, SparseFeatures)

    def promising(state: CoordinateState) -> bool:
        return state.residual**2 <= settings.tol

    stop = Stop(bound, settings.tol, int(settings.max_iter), promising=promising)
    smooth = SparseSoftmax(plain, plain.features)
    return minimize(smooth, on_weights(penalty, plain), start, descent, stop)
