"""What is particular to the proximal Newton method: working sets, parts of the rows, corrections, hostile data."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.core.errors import InputError
from gradus.core.solution import Problem, Status
from gradus.losses import CrossEntropy, DenseFeatures, DualityGap, LinearModel
from gradus.penalties import L1, ElasticNet, Masked
from gradus.solvers import ProximalGradient, ProximalNewton, Stop, Terms, minimize


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
    strengths = (penalty.strength, 0.0) if isinstance(penalty, L1) else (penalty.l1, penalty.l2)
    return ProximalNewton(Terms(*strengths, rows=model.features.shape[1]), **settings)


@settings(deadline=None, max_examples=15, derandomize=True)
@given(
    samples=st.integers(8, 120),
    features=st.integers(1, 40),
    classes=st.integers(2, 6),
    strength=st.sampled_from([1e-3, 1e-2, 0.1, 1.0]),
    ratio=st.sampled_from([1.0, 0.5]),
    intercept=st.booleans(),
    scale=st.sampled_from([0.3, 1.0, 4.0]),
    seed=st.integers(0, 2**31),
)
def test_never_above_fista(samples, features, classes, strength, ratio, intercept, scale, seed):
    model = model_of(*data(samples, features, classes, seed), intercept=intercept, scale=scale)
    penalty = L1(strength) if ratio == 1.0 else ElasticNet(ratio * strength, (1 - ratio) * strength)
    ours = solve(model, penalty, newton(penalty, model), tolerance=1e-8)
    peer = solve(model, penalty, ProximalGradient(), tolerance=1e-4, limit=500)
    assert ours.status is Status.CONVERGED, ours
    assert DualityGap(model, penalty)(ours.point) <= 1e-8
    assert ours.value <= peer.value * (1 + 2e-8) + 1e-12


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_few_rows_and_more_entries_than_a_model_takes_reach_the_minimum(dtype):
    model = model_of(*data(1000, 30, 4, dtype=dtype))
    penalty = L1(1e-3)
    tolerance = 1e-4 if dtype == torch.float32 else 1e-7
    few_rows = solve(model, penalty, newton(penalty, model, rows_per_entry=0.01), tolerance)
    few_entries = solve(model, penalty, newton(penalty, model, most_entries=60), tolerance, limit=3000)
    assert few_rows.status is few_entries.status is Status.CONVERGED, (few_rows, few_entries)
    assert few_rows.value == pytest.approx(few_entries.value, rel=2 * tolerance)


@pytest.mark.parametrize("penalty", [L1(1e-4), ElasticNet(1e-4, 1e-4)])
def test_separable_data(penalty):
    features, loss, weights = data(200, 10, 3, seed=2)
    apart = DenseFeatures(features.matrix + 50.0 * torch.nn.functional.one_hot(loss.targets, 10).double())
    model = model_of(apart, loss, weights)
    solution = solve(model, penalty, newton(penalty, model), tolerance=1e-6)
    assert solution.status is Status.CONVERGED
    assert (solution.point[:-1] == 0).any()


def test_the_same_on_any_number_of_threads():
    model = model_of(*data(3000, 40, 5, dtype=torch.float32))
    penalty, before, points = L1(1e-3), torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            points.append(solve(model, penalty, newton(penalty, model), tolerance=1e-4).point)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(points[0], points[1])
    assert torch.equal(points[0], points[2])


def test_the_residual_falls_to_the_gap():
    model = model_of(*data(500, 20, 3), intercept=False)
    for penalty in (L1(5e-3), ElasticNet(5e-3, 5e-3)):
        problem, solver = Problem(model, penalty), newton(penalty, model)
        state = solver.start(problem, model.zeros())
        for _ in range(12):
            state = solver.advance(problem, state)
            # without an intercept it is the gap at one dual point, bounded from above, so never below the best
            assert state.residual**2 >= DualityGap(model, penalty)(state.point) - 1e-12
        assert state.residual**2 < 1e-4


def test_needs_fewer_iterations_than_fista():
    model = model_of(*data(2000, 40, 4))
    penalty = L1(1e-3)
    ours = solve(model, penalty, newton(penalty, model), tolerance=1e-6)
    peer = solve(model, penalty, ProximalGradient(), tolerance=1e-6, limit=5000)
    assert ours.iterations <= peer.iterations // 3
    assert ours.value == pytest.approx(peer.value, rel=1e-6)


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


def test_a_value_that_is_not_finite_diverges():
    features, loss, weights = data(50, 6, 3)
    model = model_of(DenseFeatures(features.matrix * math.inf), loss, weights)
    penalty = L1(0.1)
    stop = Stop(lambda point: math.nan, 1e-4, 10)
    with pytest.raises(InputError, match="not the problem's penalty"):
        minimize(model, Masked(penalty, 6), model.zeros(), newton(penalty, model), stop)
