"""What is particular to the proximal Newton method: working sets, parts of the rows, corrections, hostile data."""

import math

import pytest
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.core.errors import InputError
from gradus.core.solution import Problem, Status
from gradus.losses import CrossEntropy, DenseFeatures, DualityGap, LinearModel
from gradus.penalties import L1, ElasticNet, GroupLasso, Masked, SparseGroupLasso
from gradus.solvers import ProximalGradient, ProximalNewton, Stop, Terms, minimize
from gradus.solvers.factored_model import FactoredModel
from gradus.solvers.working_model import WorkingModel


def data(samples, features, classes, seed=0, dtype=torch.float64):
    """Rows about a point for each class, with a constant, a zero and a duplicated column where there is room."""
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(classes, (samples,), generator=generator)
    codes[:classes] = torch.arange(classes)[:samples]
    centres = torch.randn(classes, features, generator=generator, dtype=torch.float64)
    X = centres[codes] + 1.5 * torch.randn(samples, features, generator=generator, dtype=torch.float64)
    if features >= 5:
        X[:, 0], X[:, 1], X[:, 2] = 3.0, 0.0, X[:, 3]
    weights = torch.rand(samples, generator=generator, dtype=torch.float64)
    weights[::7] = 0.0
    return DenseFeatures(X.to(dtype)), CrossEntropy(codes, classes), (weights / weights.sum()).to(dtype)


def model_of(features, loss, weights, intercept=True, scale=1.0):
    return LinearModel(loss, features, weights, intercept=intercept, scale=scale).centred()


def solve(model, penalty, solver, tolerance=1e-6, limit=500):
    rows = model.features.shape[1]
    stop = Stop(DualityGap(model, penalty), tolerance, limit)
    return minimize(model, Masked(penalty, rows), model.zeros(), solver, stop)


def newton(penalty, model, **settings):
    strengths = {
        L1: lambda: {"absolute": penalty.strength, "square": 0.0},
        ElasticNet: lambda: {"absolute": penalty.l1, "square": penalty.l2},
        GroupLasso: lambda: {"absolute": 0.0, "square": 0.0, "norm": penalty.strength},
        SparseGroupLasso: lambda: {"absolute": penalty.l1, "square": 0.0, "norm": penalty.l2},
    }[type(penalty)]()
    return ProximalNewton(Terms(rows=model.features.shape[1], **strengths), **settings)


PENALTIES = {
    "l1": L1,
    "elastic net": lambda strength: ElasticNet(0.5 * strength, 0.5 * strength),
    "rows": GroupLasso,
    "sparse rows": lambda strength: SparseGroupLasso(0.3 * strength, 0.7 * strength),
}


@settings(deadline=None, max_examples=30)
@given(
    samples=st.integers(8, 120),
    features=st.integers(1, 40),
    classes=st.integers(2, 6),
    strength=st.sampled_from([1e-3, 1e-2, 0.1, 1.0]),
    kind=st.sampled_from(list(PENALTIES)),
    intercept=st.booleans(),
    scale=st.sampled_from([0.3, 1.0, 4.0]),
    seed=st.integers(0, 2**31),
)
def test_never_above_fista(samples, features, classes, strength, kind, intercept, scale, seed):
    model = model_of(*data(samples, features, classes, seed), intercept=intercept, scale=scale)
    penalty = PENALTIES[kind](strength)
    ours = solve(model, penalty, newton(penalty, model), tolerance=1e-8)
    peer = solve(model, penalty, ProximalGradient(), tolerance=1e-4, limit=500)
    assert ours.status is Status.CONVERGED, ours
    assert DualityGap(model, penalty)(ours.point) <= 1e-8
    assert ours.value <= peer.value * (1 + 2e-8) + 1e-12


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("penalty", [L1(1e-3), GroupLasso(3e-3)], ids=str)
def test_few_rows_and_more_entries_than_a_model_takes_reach_the_minimum(dtype, penalty):
    model = model_of(*data(1000, 30, 4, dtype=dtype))
    tolerance = 1e-4 if dtype == torch.float32 else 1e-7
    few_rows = solve(model, penalty, newton(penalty, model, rows_per_entry=0.01), tolerance)
    few_entries = solve(model, penalty, newton(penalty, model, most_entries=60), tolerance)
    neither = solve(model, penalty, newton(penalty, model, most_entries=60, most_rows=10), tolerance, limit=3000)
    assert few_rows.status is few_entries.status is neither.status is Status.CONVERGED, (few_rows, few_entries, neither)
    assert few_rows.value == pytest.approx(few_entries.value, rel=2 * tolerance)
    assert few_rows.value == pytest.approx(neither.value, rel=2 * tolerance)
    assert few_entries.iterations < neither.iterations


def states(model, penalty, solver, count):
    """The first states, the one at 0 among them."""
    problem = Problem(model, Masked(penalty, model.features.shape[1]))
    found = [solver.start(problem, model.zeros())]
    for _ in range(count):
        found.append(solver.advance(problem, found[-1]))
    return found


@pytest.mark.parametrize("kind", [L1, GroupLasso])
def test_a_product_serves_while_samples_are_alike_and_no_longer(kind):
    model = model_of(*data(2000, 40, 4))
    strong, weak = kind(0.25), kind(2e-3)
    assert all(state.factored for state in states(model, strong, newton(strong, model), 3))
    found = states(model, weak, newton(weak, model), 8)
    assert found[1].factored
    assert not found[-1].factored
    crowded = states(model, weak, newton(weak, model, most_entries=40), 8)
    assert all(isinstance(state.working, FactoredModel) for state in crowded[1:])


def test_a_start_that_is_not_zero_begins_with_the_hessian_among_entries():
    model = model_of(*data(2000, 40, 4))
    penalty, weaker = L1(0.01), L1(3e-3)
    before = solve(model, penalty, newton(penalty, model), tolerance=1e-4)
    problem = Problem(model, Masked(weaker, 40))
    solver = newton(weaker, model)
    state = solver.start(problem, before.point)
    assert isinstance(solver.advance(problem, state).working, WorkingModel)


def test_a_weak_strength_of_data_nearly_apart_takes_few_iterations():
    # with the whole weakness from the first step and a Hessian from evenly spaced rows, most of which bend nothing near
    # the minimum, it took 154
    features, loss, weights = data(4000, 60, 6, seed=1)
    apart = DenseFeatures(features.matrix + torch.nn.functional.one_hot(loss.targets, 60).double())
    model, penalty = model_of(apart, loss, weights), L1(1e-6)
    solution = solve(model, penalty, newton(penalty, model), tolerance=1e-6)
    assert solution.status is Status.CONVERGED
    assert solution.iterations <= 50


def test_rows_that_are_left_out_of_a_product_join_when_they_want_to():
    model = model_of(*data(400, 30, 3))
    penalty = GroupLasso(2e-2)
    solver = newton(penalty, model, most_rows=12)
    solution = solve(model, penalty, solver, tolerance=1e-8)
    peer = solve(model, penalty, newton(penalty, model), tolerance=1e-8)
    assert solution.status is Status.CONVERGED
    assert solution.value == pytest.approx(peer.value, rel=1e-7)


@pytest.mark.parametrize("penalty", [L1(1e-4), ElasticNet(1e-4, 1e-4), GroupLasso(1e-3)], ids=str)
def test_separable_data(penalty):
    features, loss, weights = data(200, 10, 3, seed=2)
    apart = DenseFeatures(features.matrix + 50.0 * torch.nn.functional.one_hot(loss.targets, 10).double())
    model = model_of(apart, loss, weights)
    solution = solve(model, penalty, newton(penalty, model), tolerance=1e-6)
    assert solution.status is Status.CONVERGED
    assert (solution.point[:-1] == 0).any()


@pytest.mark.parametrize("penalty", [L1(1e-3), SparseGroupLasso(1e-3, 1e-3)], ids=str)
def test_the_same_on_any_number_of_threads(penalty):
    model = model_of(*data(3000, 40, 5, dtype=torch.float32))
    before, points = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            points.append(solve(model, penalty, newton(penalty, model), tolerance=1e-4).point)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(points[0], points[1])
    assert torch.equal(points[0], points[2])


def test_the_residual_tells_about_the_gap():
    model = model_of(*data(500, 20, 3), intercept=False)
    for penalty in (kind(5e-3) for kind in PENALTIES.values()):
        problem, solver = Problem(model, penalty), newton(penalty, model)
        state = solver.start(problem, model.zeros())
        for _ in range(12):
            state = solver.advance(problem, state)
            gap = DualityGap(model, penalty)(state.point)
            assert 0.3 * gap - 1e-12 <= state.residual**2 <= 30 * gap + 1e-7
        assert state.residual**2 < 1e-4


@pytest.mark.parametrize("penalty", [L1(1e-3), GroupLasso(2e-3)], ids=str)
def test_needs_fewer_iterations_than_fista(penalty):
    model = model_of(*data(2000, 40, 4))
    ours = solve(model, penalty, newton(penalty, model), tolerance=1e-6)
    peer = solve(model, penalty, ProximalGradient(), tolerance=1e-6, limit=5000)
    assert ours.iterations <= peer.iterations // 3
    assert ours.value == pytest.approx(peer.value, rel=1e-6)


def test_zeroes_the_rows_that_an_independent_optimum_zeroes():
    """SciPy minimises over the rows that the group lasso keeps, smooth there; the others must want to stay at zero."""
    features, loss, weights = data(300, 12, 3, seed=4)
    model = model_of(features, loss, weights)
    penalty = GroupLasso(0.03)
    solution = solve(model, penalty, newton(penalty, model), tolerance=1e-10)
    kept = torch.cat([(solution.point[:-1] != 0).any(dim=1), torch.tensor([True])])
    assert 0 < kept[:-1].sum() < 12

    def value_and_slope(flat):
        point = torch.zeros(13, 3, dtype=torch.float64)
        point[kept] = torch.from_numpy(flat).reshape(-1, 3)
        value, gradient = model.value_and_gradient(point)
        lengths = torch.linalg.vector_norm(point[:-1], dim=1)
        gradient = gradient.clone()
        gradient[:-1] += 0.03 * point[:-1] / lengths.clamp_min(1e-300)[:, None]
        return value.item() + 0.03 * lengths.sum().item(), gradient[kept].numpy().ravel()

    start = solution.point[kept].numpy().ravel() + 0.01
    peer = scipy.optimize.minimize(value_and_slope, start, jac=True, method="BFGS", options={"gtol": 1e-9})
    assert solution.value == pytest.approx(peer.fun, rel=1e-9)
    gradient = model.value_and_gradient(solution.point)[1][:-1]
    assert (torch.linalg.vector_norm(gradient[~kept[:-1]], dim=1) <= 0.03 * (1 + 1e-4)).all()


def test_terms_are_the_penalties_they_stand_for():
    point = torch.randn(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    point[2] = 0.0
    for kind in PENALTIES.values():
        penalty = kind(0.4)
        terms = newton(penalty, model_of(*data(20, 7, 3), intercept=False)).terms
        assert terms.value(point) == pytest.approx(penalty.value(point).item(), rel=1e-14)
        torch.testing.assert_close(terms.prox(point), penalty.prox(point, 1.0))


def test_violations_are_zero_at_a_minimum_and_nowhere_else():
    """Of |x - v|^2 / 2 + penalty the minimum is the prox, and the gradient there x - v."""
    v = torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for kind in PENALTIES.values():
        terms = newton(kind(1.8), model_of(*data(20, 6, 3), intercept=False)).terms
        x = terms.prox(v)
        assert 0 < (x == 0).sum() < 24
        assert terms.violations(x, x - v).max() < 1e-14
        assert terms.violations(x, x - v + 5.0).min() > 0
        assert terms.violations(v, 0 * v).min() > 0


def test_refuses_other_functions_and_numbers():
    class OnlyGradient:
        def value(self, point):
            return (point**2).sum()

        def value_and_gradient(self, point):
            return self.value(point), 2 * point

    model = model_of(*data(50, 6, 3))
    with pytest.raises(InputError, match="OnlyGradient has none: use ProximalGradient"):
        ProximalNewton(Terms(1.0, 0.0, 2)).start(Problem(OnlyGradient(), L1(1.0)), torch.zeros(2, 2))
    with pytest.raises(InputError, match="not the problem's penalty"):
        ProximalNewton(Terms(0.02, 0.0, 6)).start(Problem(model, Masked(L1(0.01), 6)), model.zeros())
    with pytest.raises(InputError, match="rows_per_entry is 0"):
        ProximalNewton(Terms(1.0, 0.0, 2), rows_per_entry=0)
    with pytest.raises(InputError, match="most_rows 0"):
        ProximalNewton(Terms(1.0, 0.0, 2), most_rows=0)


def test_a_value_that_is_not_finite_diverges():
    features, loss, weights = data(50, 6, 3)
    model = model_of(DenseFeatures(features.matrix * math.inf), loss, weights)
    penalty = L1(0.1)
    stop = Stop(lambda point: math.nan, 1e-4, 10)
    with pytest.raises(InputError, match="not the problem's penalty"):
        minimize(model, Masked(penalty, 6), model.zeros(), newton(penalty, model), stop)
