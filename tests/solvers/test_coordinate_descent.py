"""What is particular to coordinate descent on features: screening is safe, and hostile data is no trouble."""

import math

import numba
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from gradus.core.errors import InputError
from gradus.core.solution import Problem, Status
from gradus.kernels.column_descent import Coordinates, column_products, descend
from gradus.kernels.column_descent import Terms as KernelTerms
from gradus.losses import (
    ColumnModel,
    CrossEntropy,
    DenseFeatures,
    DualityGap,
    LinearModel,
    SparseFeatures,
    SparseGap,
    column_access,
)
from gradus.penalties import L1, ElasticNet, GroupLasso, Masked, SparseGroupLasso
from gradus.solvers import CoordinateDescent, ProximalGradient, Stop, Terms, minimize


def data(samples, features, classes, seed=0, dtype=np.float64):
    """Sparse rows with an empty one, an empty, a duplicated and a single-entry column, and weights of 0."""
    generator = np.random.default_rng(seed)
    codes = generator.integers(classes, size=samples)
    codes[:classes] = np.arange(classes)[:samples]
    X = generator.exponential(size=(samples, features)) * (generator.random((samples, features)) < 0.2)
    X[np.arange(samples), codes % features] += 1.0
    X[samples // 2] = 0.0
    if features >= 5:
        X[:, 0], X[:, 2], X[:, 4] = 0.0, X[:, 1], 0.0
        X[0, 4] = 3.0
    weights = generator.random(samples)
    weights[::7] = 0.0
    return X.astype(dtype), torch.from_numpy(codes), torch.from_numpy((weights / weights.sum()).astype(dtype))


def models(X, codes, weights, classes, intercept=True, scale=1.0):
    """The same model on sparse and on dense features."""
    loss = CrossEntropy(codes, classes)
    sparse = LinearModel(loss, SparseFeatures(csr_array(X)), weights, intercept, scale)
    return sparse, LinearModel(loss, DenseFeatures(torch.from_numpy(X)), weights, intercept, scale)


KINDS = {
    "entries": L1,
    "entries and squares": lambda strength: ElasticNet(0.5 * strength, 0.5 * strength),
    "rows": GroupLasso,
    "rows and entries": lambda strength: SparseGroupLasso(0.3 * strength, 0.7 * strength),
}


def by_columns(model):
    return ColumnModel(model, column_access(model.features))


def descent(penalty, features):
    terms = {
        L1: lambda: Terms(penalty.strength, 0.0, features),
        ElasticNet: lambda: Terms(penalty.l1, penalty.l2, features),
        GroupLasso: lambda: Terms(0.0, 0.0, features, penalty.strength),
        SparseGroupLasso: lambda: Terms(penalty.l1, 0.0, features, penalty.l2),
    }
    return CoordinateDescent(terms[type(penalty)]())


def solve(model, penalty, tolerance=1e-8, limit=200, start=None):
    features = model.features.shape[1]
    sparse = isinstance(model.features, SparseFeatures) and isinstance(penalty, L1 | ElasticNet)
    gap = SparseGap(model, model.features, penalty) if sparse else DualityGap(model, penalty)
    stop = Stop(gap, tolerance, limit)
    start = model.zeros() if start is None else start
    smooth = by_columns(model)
    return minimize(smooth, Masked(penalty, features), start, descent(penalty, features), stop)


CASES = {
    "samples": st.integers(6, 60),
    "features": st.integers(1, 60),
    "classes": st.integers(2, 6),
    "strength": st.sampled_from([3e-3, 1e-2, 0.1, 1.0]),
    "kind": st.sampled_from(list(KINDS)),
    "intercept": st.booleans(),
    "scale": st.sampled_from([0.3, 1.0, 4.0]),
    "seed": st.integers(0, 2**31),
}


@settings(deadline=None, max_examples=25)
@given(**CASES, stored_densely=st.booleans())
def test_reaches_the_optimum_of_fista(
    samples, features, classes, strength, kind, intercept, scale, seed, stored_densely
):
    sparse, dense = models(*data(samples, features, classes, seed), classes, intercept, scale)
    penalty = KINDS[kind](strength)
    ours = solve(dense if stored_densely else sparse, penalty, limit=2000)
    assert ours.status is Status.CONVERGED, ours
    assert DualityGap(dense, penalty)(ours.point) <= 1.01e-8
    stop = Stop(DualityGap(dense, penalty), 1e-5, 300)
    peer = minimize(dense, Masked(penalty, features), dense.zeros(), ProximalGradient(), stop)
    assert ours.value <= peer.value * (1 + 2e-8) + 1e-12


@settings(deadline=None, max_examples=25)
@given(**CASES)
def test_no_feature_of_the_optimum_is_ever_screened(samples, features, classes, strength, kind, intercept, scale, seed):
    sparse, _ = models(*data(samples, features, classes, seed), classes, intercept, scale)
    penalty = KINDS[kind](strength)
    smooth, solver = by_columns(sparse), descent(penalty, features)
    problem = Problem(smooth, Masked(penalty, features))
    tight = _unscreened(smooth, solver.terms)
    support = set((tight.abs() > 1e-6).any(dim=1).nonzero()[:, 0].tolist())
    state = solver.start(problem, sparse.zeros())
    for _ in range(8):
        assert support <= set(state.candidates.features.tolist())
        state = solver.advance(problem, state)


def _unscreened(smooth, terms):
    """The weights after a descent on every weight of every feature, (features, outputs)."""
    features, outputs = terms.rows, smooth.shape[1]
    columns = smooth.columns(torch.arange(features))
    everything = Coordinates(
        torch.arange(features, dtype=torch.int32).repeat(outputs),
        torch.arange(outputs + 1) * features,
        torch.zeros(features * outputs, dtype=torch.float64),
        torch.zeros(outputs, dtype=torch.float64),
    )
    labels = smooth.labels
    slopes = column_products(columns, labels, everything)
    totals = labels.sum(dim=0) if smooth.intercept else None
    parts = KernelTerms(smooth.shares, slopes, totals, terms.absolute, terms.square, terms.norm)
    ended = descend(columns, everything, parts, tolerance=1e-11, sweeps=20_000)
    assert ended.sweeps < 20_000
    return ended.coordinates.weights.reshape(outputs, features).t()


@pytest.mark.parametrize("penalty", [L1(3e-3), GroupLasso(5e-3)])
def test_screening_drops_features_before_and_after_a_look(penalty):
    X, codes, weights = data(200, 400, 4, seed=3)
    X[:, 200:] *= 1e-3
    model, _ = models(X, codes, weights, 4)
    problem = Problem(by_columns(model), Masked(penalty, 400))
    solver = descent(penalty, 400)
    state = solver.start(problem, model.zeros())
    assert len(state.candidates.features) < 210
    for _ in range(15):
        state = solver.advance(problem, state)
    held = (state.point[:400] != 0).any(dim=1).sum()
    assert held <= len(state.candidates.features) <= 1.2 * held


def test_at_the_largest_strength_nothing_moves_but_the_intercept():
    X, codes, weights = data(300, 50, 3, seed=1)
    model, dense = models(X, codes, weights, 3)
    priors = weights @ torch.nn.functional.one_hot(codes, 3).double()
    slopes = torch.from_numpy(X).t() @ (weights[:, None] * (priors - torch.nn.functional.one_hot(codes, 3)))
    strength = slopes.abs().max().item()
    above = solve(model, L1(1.0001 * strength))
    assert above.status is Status.CONVERGED
    assert not above.point[:-1].any()
    assert above.iterations <= 2
    torch.testing.assert_close(torch.softmax(above.point[-1], 0), priors, rtol=1e-4, atol=1e-6)
    below = solve(model, L1(0.98 * strength))
    assert below.point[:-1].count_nonzero() > 0
    assert DualityGap(dense, L1(0.98 * strength))(below.point) <= 1.01e-8


@pytest.mark.parametrize("penalty", [L1(1e-3), ElasticNet(5e-4, 1e-3), SparseGroupLasso(3e-3, 5e-3)])
def test_float32_reaches_what_its_coefficients_can_hold(penalty):
    X, codes, weights = data(400, 300, 5, seed=2, dtype=np.float32)
    model, dense = models(X, codes, weights, 5)
    solution = solve(model, penalty, tolerance=1e-6)
    assert solution.status is Status.CONVERGED
    assert solution.point.dtype == torch.float32
    assert DualityGap(dense, penalty)(solution.point) <= 1.01e-6


@pytest.mark.parametrize("penalty", [L1(1e-4), GroupLasso(1e-4)])
def test_a_class_with_one_row_and_classes_that_are_apart(penalty):
    X, codes, weights = data(100, 30, 3, seed=4)
    codes[codes == 2] = 1
    codes[50], weights[50] = 2, 0.01
    X[np.arange(100), codes] += 50.0
    model, dense = models(X, codes, weights / weights.sum(), 3)
    solution = solve(model, penalty, tolerance=1e-7)
    assert solution.status is Status.CONVERGED
    assert DualityGap(dense, penalty)(solution.point) <= 1.01e-7


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dense_rows_end_where_sparse_ones_do(kind, dtype):
    sparse, dense = models(*data(150, 700, 4, seed=9, dtype=dtype), 4)
    ours, same = (solve(model, KINDS[kind](5e-3), tolerance=1e-6) for model in (dense, sparse))
    # their sums are rounded in other orders
    assert abs(ours.iterations - same.iterations) <= 3
    assert ours.value == pytest.approx(same.value, rel=1e-6)


def test_a_start_at_the_solution_stays_there():
    model, _ = models(*data(200, 80, 4, seed=6), 4)
    first = solve(model, L1(2e-3), tolerance=1e-9)
    again = solve(model, L1(2e-3), tolerance=1e-8, start=first.point)
    assert again.iterations == 0
    assert torch.equal(again.point, first.point)


@pytest.mark.parametrize("penalty", [L1(1e-3), GroupLasso(2e-3)])
def test_the_same_bits_on_any_number_of_threads(penalty):
    model, _ = models(*data(3000, 300, 5, seed=7, dtype=np.float32), 5)
    points, before = [], torch.get_num_threads()
    most = numba.get_num_threads()
    try:
        for threads in range(1, most + 1):
            numba.set_num_threads(threads)
            torch.set_num_threads(threads)
            points.append(solve(model, penalty, tolerance=1e-5).point)
    finally:
        numba.set_num_threads(most)
        torch.set_num_threads(before)
    assert most >= 2, "one core cannot show that threads make no difference"
    assert all(torch.equal(points[0], point) for point in points[1:])


@pytest.mark.parametrize("penalty", [L1(2e-3), GroupLasso(3e-3), SparseGroupLasso(1e-3, 2e-3)])
def test_the_residual_is_the_root_of_the_gap(penalty):
    model, dense = models(*data(200, 60, 4, seed=8), 4)
    problem = Problem(by_columns(model), Masked(penalty, 60))
    solver = descent(penalty, 60)
    state = solver.start(problem, model.zeros())
    for _ in range(7):
        # that of the features left after screening, whose slopes alone bound the dual point
        assert state.residual**2 == pytest.approx(DualityGap(dense, penalty)(state.point), rel=1e-4, abs=1e-12)
        state = solver.advance(problem, state)
    assert state.residual < 0.3


def test_refuses_other_functions_and_numbers():
    sparse, dense = models(*data(50, 6, 3), 3)
    with pytest.raises(InputError, match="LinearModel has none: use ProximalGradient"):
        CoordinateDescent(Terms(1.0, 0.0, 6)).start(Problem(dense, Masked(L1(1.0), 6)), dense.zeros())
    smooth = by_columns(sparse)
    for terms in (Terms(0.02, 0.0, 6), Terms(0.01, 0.1, 6)):
        with pytest.raises(InputError, match="not the problem's penalty"):
            CoordinateDescent(terms).start(Problem(smooth, Masked(L1(0.01), 6)), sparse.zeros())
    with pytest.raises(InputError, match="expected positive numbers"):
        CoordinateDescent(Terms(0.0, 1.0, 6))
    with pytest.raises(InputError, match="centred"):
        by_columns(sparse.centred())


def test_logits_that_overflow_halt():
    X, codes, weights = data(50, 6, 3)
    model, _ = models(X, codes, weights, 3)
    start = model.zeros()
    start[3] = math.inf
    solution = solve(model, L1(0.1), start=start)
    assert solution.status is Status.DIVERGED
