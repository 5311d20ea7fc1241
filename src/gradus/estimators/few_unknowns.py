"""Fits with few weights by Newton's method, which has the Hessian as numbers where weights and data are few."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from gradus.core import progress
from gradus.core.errors import InputError
from gradus.core.solution import Problem
from gradus.estimators.row_terms import row_terms
from gradus.kernels.softmax_expansion import cost
from gradus.losses import CrossEntropy, ExpandedModel, LinearModel, Logistic, MappedFeatures
from gradus.penalties import L2, ElasticNet, Masked
from gradus.solvers import Newton, Terms, resume

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Proximable
    from gradus.core.solution import Solution
    from gradus.estimators.softmax_problem import Settings
    from gradus.estimators.solving import Way
    from gradus.solvers.newton import ExpandedState

# most unknowns, and multiplications up to which to make the Hessian and to solve it costs less than the calls it saves
MOST_UNKNOWNS, CHEAP = 2048, 40_000_000
# numbers of the features, up to which a copy of them in float64 is small
FEW_NUMBERS = 2_000_000


def newton_of_few(
    name: str, model: LinearModel[CrossEntropy], penalty: Proximable, *, kept: bool = False
) -> Newton | None:
    """Return Newton's method if it is the solver of that name, or of "auto" for data that is so small.

    With ``kept`` "auto" wants a solver whose states a file can keep.

    Raises
    ------
    InputError : if it is named, and the penalty or the data is not for it
    """
    (unknowns, classes), rows = model.shape, model.features.shape[1]
    outputs = 1 if classes == 2 else classes
    terms = Terms(0.0, penalty.strength, rows) if isinstance(penalty, L2) else row_terms(penalty, model)
    in_memory = not isinstance(model.features, MappedFeatures)
    suits = terms is not None and unknowns * outputs <= MOST_UNKNOWNS and in_memory
    if name == "newton" and not suits:
        raise InputError(
            f"solver is 'newton', which is for L2, L1, ElasticNet, GroupLasso and SparseGroupLasso of rows, at most "
            f"{MOST_UNKNOWNS} of them, on data in memory, and the penalty is {type(penalty).__name__} of "
            f"{unknowns * outputs} weights: use 'auto'"
        )
    arithmetic = cost(model.samples, unknowns, outputs) + (unknowns * outputs) ** 3 // 3
    few = arithmetic <= CHEAP and model.samples * unknowns <= FEW_NUMBERS
    suited = few and not kept and model.weights.device.type == "cpu"
    chosen = name == "newton" or (name == "auto" and suited)
    if terms is None or not (suits and chosen):
        return None
    return Newton(_of_difference(terms) if classes == 2 else terms)


def fitted_by_newton(
    plain: LinearModel[CrossEntropy], newton: Newton, penalty: Proximable, settings: Settings, way: Way
) -> Solution:
    """Return the solution of one fit, about the model as it is given.

    Of two classes only the difference u = w_1 - w_0 of their weights counts for the loss, and of all weights with that
    difference -u / 2 and u / 2 have the smallest squares, absolute values and norms: there is one output.
    """
    two = plain.loss.classes == 2
    model: LinearModel[Any] = (_of_two(plain) if two else plain).centred()
    own = ElasticNet(newton.terms.absolute, newton.terms.square) if two else penalty
    if model.intercept:
        own = Masked(own, newton.terms.rows)

    def published(point: Tensor) -> Tensor:
        given = model.uncentred_point(point)
        return torch.cat([-0.5 * given, 0.5 * given], dim=1) if two else given

    def bound(point: Tensor) -> float:
        return way.bound(published(point))

    start = way.start[:, 1:] - way.start[:, :1] if two else way.start
    problem, solver = Problem(ExpandedModel(model), own), way.kept(newton)
    # a step more costs less than a look too many
    stop = replace(way.stop(settings, bound), promising=lambda state: _estimate(state) <= settings.tol, guess=_estimate)
    with progress.task("fitting", total=stop.max_iterations) as fitting:
        end = resume(problem, solver, solver.start(problem, model.centred_point(start)), stop, fitting)
    solution = end.solution(end.state.objective, stop)
    return way.walked(replace(solution, point=published(solution.point)))


def _estimate(state: ExpandedState) -> float:
    """Return about what the relative gap is."""
    return state.residual**2


def _of_difference(terms: Terms) -> Terms:
    """Return the penalty of -u / 2 and u / 2 as one of u."""
    return Terms(terms.absolute + terms.norm / math.sqrt(2.0), 0.5 * terms.square, terms.rows)


def _of_two(model: LinearModel[CrossEntropy]) -> LinearModel[Logistic]:
    """Return the model of the difference between the logits of two classes."""
    targets = model.loss.targets
    second = (targets if targets.ndim == 1 else targets[:, 1])[:, None].to(model.features.dtype)
    return LinearModel(Logistic(second), model.features, model.weights, model.intercept, model.scale)
