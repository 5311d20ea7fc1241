"""The laws of a solver, over every row of the catalogue: CONVERGED means that an independent check holds."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize
import torch
from scipy.sparse import csr_array

import catalogue
from gradus.core import progress
from gradus.core.errors import InputError
from gradus.core.protocols import Differentiable
from gradus.core.solution import Status
from gradus.losses import CholeskyPreconditioner, DiagonalPreconditioner, DualityGap, ExpandedModel, SparseFeatures
from gradus.losses.column_model import ColumnModel
from gradus.penalties import L1, L2, GroupLasso, Masked, SmoothMasked
from gradus.solvers import LBFGS, CoordinateDescent, Newton, NewtonCG, ProximalGradient, Stop, minimize

PAIRS = [
    pytest.param(solver, penalty, id=f"{name}, {penalty}")
    for name, (solver, penalties) in catalogue.SOLVERS.items()
    for penalty in penalties
]


def model_of(dtype, name="cross-entropy of codes"):
    return catalogue.models(dtype)[name]


def masked(penalty, rows=catalogue.FEATURES):
    return SmoothMasked(penalty, rows) if isinstance(penalty, Differentiable) else Masked(penalty, rows)


def smooth_for(solver, model):
    """The same model, with features one at a time or with its Hessian as numbers where the solver asks for that."""
    if isinstance(solver, Newton):
        return ExpandedModel(model)
    if not isinstance(solver, CoordinateDescent):
        return model
    sparse = replace(model, features=SparseFeatures(csr_array(model.features.matrix.numpy())))
    return ColumnModel(sparse, sparse.features)


def solve(model, penalty, solver, tolerance=1e-6, limit=5000, start=None):
    stop = Stop(DualityGap(model, penalty), tolerance, limit)
    start = model.zeros() if start is None else start
    return minimize(smooth_for(solver, model), masked(penalty), start, solver, stop)


def objective(model, penalty, point):
    """The objective in NumPy, apart from the code under test."""
    X, w = model.features.matrix.double().numpy(), model.weights.double().numpy()
    W, b = point.double().numpy()[:-1], point.double().numpy()[-1]
    logits = model.scale * X @ W + b
    loss = w @ (scipy.special.logsumexp(logits, axis=1) - logits[np.arange(len(X)), model.loss.targets.numpy()])
    return loss + penalty.value(torch.from_numpy(W)).item()


@pytest.mark.parametrize(("solver", "penalty"), PAIRS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_converged_means_near_the_minimum(solver, penalty, dtype):
    model = model_of(dtype)
    solution = solve(model, penalty, solver, tolerance=1e-4 if dtype == torch.float32 else 1e-6)
    assert solution.status is Status.CONVERGED, solution
    best = solve(model_of(torch.float64), penalty, ProximalGradient(), tolerance=1e-11, limit=50_000)
    found = objective(model, penalty, solution.point)
    assert solution.value == pytest.approx(found, rel=1e-6)
    above = found - objective(model, penalty, best.point)
    assert above <= solution.certificate * found + 1e-7 * (dtype == torch.float32) + 1e-10
    assert solution.point.dtype == dtype


@pytest.mark.parametrize("solver", [LBFGS(), NewtonCG(), ProximalGradient()], ids=["lbfgs", "newton", "fista"])
def test_reaches_scipys_minimum(solver):
    model, penalty = model_of(torch.float64), L2(0.02)

    def peer(flat):
        point = torch.from_numpy(flat).reshape(model.shape)
        value, gradient = model.value_and_gradient(point)
        gradient = gradient.clone()
        gradient[:-1] += 0.02 * point[:-1]
        return value.item() + 0.01 * point[:-1].square().sum().item(), gradient.numpy().ravel()

    reference = scipy.optimize.minimize(peer, np.zeros(15), jac=True, method="BFGS", options={"gtol": 1e-10})
    solution = solve(model, penalty, solver, tolerance=1e-9)
    assert solution.value == pytest.approx(reference.fun, rel=1e-9)
    assert np.abs(solution.point.numpy().ravel()[:-3] - reference.x[:-3]).max() < 1e-3


@pytest.mark.parametrize(
    "make",
    [
        lambda model, point: CholeskyPreconditioner.at(model, point, 0.02),
        lambda model, point: DiagonalPreconditioner.of(model, 0.02),
    ],
    ids=["Cholesky", "diagonal"],
)
@pytest.mark.parametrize("solver", [LBFGS, NewtonCG])
@pytest.mark.parametrize("name", catalogue.MODELS)
def test_a_preconditioner_changes_the_way_and_not_the_minimum(make, solver, name):
    model, penalty = model_of(torch.float64, name), L2(0.02)
    stop = Stop(DualityGap(model, penalty), 1e-10, 2000)
    plain = minimize(model, masked(penalty), model.zeros(), solver(), stop)
    precondition = make if solver is NewtonCG else make(model, model.zeros())
    preconditioned = minimize(model, masked(penalty), model.zeros(), solver(precondition), stop)
    assert plain.converged
    assert preconditioned.converged
    torch.testing.assert_close(plain.point[:4], preconditioned.point[:4], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("solver", "penalty"), PAIRS)
def test_states_are_pure(solver, penalty):
    from gradus.core.solution import Problem

    model = model_of(torch.float64)
    problem = Problem(smooth_for(solver, model), masked(penalty))
    state = solver.start(problem, model.zeros())
    for _ in range(3):
        state = solver.advance(problem, state)
    before = state.point.clone()
    first, second = solver.advance(problem, state), solver.advance(problem, state)
    assert torch.equal(first.point, second.point)
    assert torch.equal(state.point, before)


def test_the_iteration_limit_is_a_status_with_its_number():
    solution = solve(model_of(torch.float64), L1(0.02), ProximalGradient(), tolerance=1e-12, limit=3)
    assert solution.status is Status.ITERATION_LIMIT
    assert solution.iterations == 3
    assert 1e-12 < solution.certificate < 1e3


def test_no_iteration_at_the_minimum():
    model, penalty = model_of(torch.float64), L2(0.02)
    best = solve(model, penalty, LBFGS(), tolerance=1e-9)
    again = solve(model, penalty, LBFGS(), tolerance=1e-8, start=best.point)
    assert again.iterations == 0
    assert again.converged


@pytest.mark.parametrize("solver", [LBFGS(), NewtonCG(), ProximalGradient()], ids=["lbfgs", "newton", "fista"])
def test_what_cannot_be_reached_ends_as_stalled_or_at_the_limit(solver):
    solution = solve(model_of(torch.float32), L2(0.02), solver, tolerance=0.0, limit=300)
    assert solution.status in (Status.STALLED, Status.ITERATION_LIMIT, Status.CONVERGED)
    assert solution.certificate < 1e-4
    assert np.isfinite(solution.value)


@pytest.mark.parametrize("solver", [LBFGS(), ProximalGradient()], ids=["lbfgs", "fista"])
def test_a_function_that_is_not_finite_diverges(solver):
    class Broken:
        def value(self, point):
            return torch.tensor(float("nan"), dtype=torch.float64)

        def value_and_gradient(self, point):
            return self.value(point), torch.zeros_like(point)

    stop = Stop(lambda point: float("nan"), 1e-4, 10)
    solution = minimize(Broken(), L2(1.0), torch.zeros(2, 2, dtype=torch.float64), solver, stop)
    assert solution.status is Status.DIVERGED


@pytest.mark.parametrize("solver", [LBFGS(), NewtonCG()], ids=["lbfgs", "newton"])
def test_a_solver_says_what_it_lacks(solver):
    with pytest.raises(InputError, match="needs a differentiable penalty and Masked"):
        solve(model_of(torch.float64), L1(0.02), solver)


def test_newton_needs_a_curvature():
    class OnlyGradient:
        def value(self, point):
            return (point**2).sum()

        def value_and_gradient(self, point):
            return self.value(point), 2 * point

    with pytest.raises(InputError, match="OnlyGradient has none"):
        minimize(OnlyGradient(), L2(1.0), torch.zeros(2), NewtonCG(), Stop(lambda point: 1.0, 1e-4, 10))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Stop(lambda point: 0.0, -1.0, 10), "tolerance is -1"),
        (lambda: Stop(lambda point: 0.0, 1e-4, -1), "max_iterations is -1"),
        (lambda: ProximalGradient(first_step=0.0), "first_step is 0"),
        (lambda: ProximalGradient(growth=0.5), "growth 0.5"),
    ],
)
def test_numbers_outside_their_range_are_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_progress_counts_iterations():
    class Listener:
        def __init__(self):
            self.advanced = 0.0

        def open(self, description, total):
            return self

        def close(self, task):
            pass

        def advance(self, amount=1.0, note=""):
            self.advanced += amount

    listener = Listener()
    with progress.reporting(listener):
        solution = solve(model_of(torch.float64), GroupLasso(0.02), ProximalGradient(), limit=7, tolerance=0.0)
    assert listener.advanced == solution.iterations == 7
