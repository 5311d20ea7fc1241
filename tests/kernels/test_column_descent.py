"""Every implementation of the descent on coordinates, against SciPy and the optimality conditions, on hostile data."""

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, logsumexp, softmax

from gradus.core.columns import SparseColumns
from gradus.kernels import dispatch
from gradus.kernels.column_descent import Coordinates, Terms, column_logits, column_products, descend

IMPLEMENTATIONS = [name for name in dispatch.implementations("column_descent") if name != "cuda"]


def problem(samples, features, outputs, seed, size=1.0):
    """Columns with a duplicate and an empty one, all weights of all outputs, and labels."""
    generator = np.random.default_rng(seed)
    X = size * generator.normal(size=(samples, features)) * (generator.random((samples, features)) < 0.4)
    if features >= 4:
        X[:, 1], X[:, 2] = X[:, 0], 0.0
    shares = generator.random(samples)
    shares[::5] = 0.0
    shares /= shares.sum()
    labels = np.eye(outputs)[generator.integers(outputs, size=samples)]
    starts = np.concatenate([[0], (X != 0).sum(axis=0).cumsum()])
    entries = [np.nonzero(column)[0] for column in X.T]
    values = np.concatenate([column[rows] for column, rows in zip(X.T, entries, strict=True)])
    columns = SparseColumns(
        torch.from_numpy(starts), torch.from_numpy(np.concatenate(entries)).int(), torch.from_numpy(values)
    )
    coordinates = Coordinates(
        torch.arange(features, dtype=torch.int32).repeat(outputs),
        torch.arange(outputs + 1) * features,
        torch.zeros(features * outputs, dtype=torch.float64),
        torch.zeros(outputs, dtype=torch.float64),
    )
    return X, shares, labels, columns, coordinates


def terms_of(X, shares, labels, absolute, square, free=True):
    weighted = shares[:, None] * labels
    slopes = torch.from_numpy((X.T @ weighted).T.ravel().copy())
    return Terms(
        torch.from_numpy(shares), slopes, torch.from_numpy(weighted.sum(axis=0)) if free else None, absolute, square
    )


def objective(X, shares, labels, weights, intercept, absolute, square):
    logits = X @ weights.T + intercept
    losses = logsumexp(logits, axis=1) - (labels * logits).sum(axis=1)
    return shares @ losses + absolute * np.abs(weights).sum() + 0.5 * square * (weights**2).sum()


def violation(X, shares, labels, weights, intercept, absolute, square):
    residual = shares[:, None] * (softmax(X @ weights.T + intercept, axis=1) - labels)
    slopes = (X.T @ residual).T + square * weights
    away = np.where(
        weights == 0, np.maximum(np.abs(slopes) - absolute, 0), np.abs(slopes + absolute * np.sign(weights))
    )
    return away.max(), np.abs(residual.sum(axis=0)).max()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@settings(deadline=None, max_examples=15)
@given(
    samples=st.integers(5, 40),
    features=st.integers(1, 6),
    outputs=st.integers(2, 5),
    seed=st.integers(0, 2**31),
    absolute=st.sampled_from([1e-2, 0.05, 1.0]),
    square=st.sampled_from([0.0, 0.1]),
    size=st.sampled_from([0.3, 1.0, 30.0]),
)
def test_ends_where_the_optimality_conditions_hold(
    implementation, samples, features, outputs, seed, absolute, square, size
):
    X, shares, labels, columns, coordinates = problem(samples, features, outputs, seed, size)
    terms = terms_of(X, shares, labels, absolute, square)
    with dispatch.force(implementation):
        few = 400 if implementation == "reference" else 100_000
        ended = descend(columns, coordinates, terms, tolerance=1e-9, sweeps=few)
    weights = ended.coordinates.weights.numpy().reshape(outputs, features)
    found = violation(X, shares, labels, weights, ended.coordinates.intercept.numpy(), absolute, square)
    if ended.sweeps < few:
        # the violations met in a sweep are of slightly different points
        assert max(found) < 1e-8
        assert ended.violation <= 1e-9
    else:
        assert implementation == "reference"
    assert not coordinates.weights.any()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("free", [True, False])
def test_reaches_scipys_minimum(implementation, free):
    X, shares, labels, columns, coordinates = problem(60, 5, 3, seed=1)
    absolute, square = 0.02, 0.01
    terms = terms_of(X, shares, labels, absolute, square, free)
    with dispatch.force(implementation):
        ended = descend(columns, coordinates, terms, tolerance=1e-10, sweeps=3000).coordinates
    found = objective(X, shares, labels, ended.weights.numpy().reshape(3, 5), ended.intercept.numpy(), absolute, square)

    def value(parts):
        weights = (parts[:15] - parts[15:30]).reshape(3, 5)
        intercept = parts[30:] if free else np.zeros(3)
        logits = X @ weights.T + intercept
        residual = shares[:, None] * (softmax(logits, axis=1) - labels)
        slopes = ((X.T @ residual).T + square * weights).ravel()
        loss = -shares @ (labels * log_softmax(logits, axis=1)).sum(axis=1)
        total = loss + absolute * parts[:30].sum() + 0.5 * square * (weights**2).sum()
        ends = residual.sum(axis=0) if free else np.zeros(3)
        return total, np.concatenate([slopes + absolute, absolute - slopes, ends])

    bounds = [(0, None)] * 30 + [(None, None)] * 3
    options = {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 10_000, "maxfun": 50_000}
    peer = scipy.optimize.minimize(value, np.zeros(33), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    assert found == pytest.approx(peer.fun, abs=1e-10)
    assert free or not ended.intercept.any()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3, 1e5])
def test_the_value_never_rises(implementation, size):
    X, shares, labels, columns, coordinates = problem(50, 6, 4, seed=2, size=size)
    absolute = 1e-3 * size
    terms = terms_of(X, shares, labels, absolute, 0.0)
    before = objective(X, shares, labels, np.zeros((4, 6)), np.zeros(4), absolute, 0.0)
    for _ in range(30):
        with dispatch.force(implementation):
            coordinates = descend(columns, coordinates, terms, tolerance=0.0, sweeps=1).coordinates
        weights = coordinates.weights.numpy().reshape(4, 6)
        after = objective(X, shares, labels, weights, coordinates.intercept.numpy(), absolute, 0.0)
        assert after <= before * (1 + 1e-12)
        before = after
    assert before < objective(X, shares, labels, np.zeros((4, 6)), np.zeros(4), absolute, 0.0)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("free", [True, False])
def test_a_baseline_is_an_output_that_stays_at_0(implementation, outputs, free):
    X, shares, labels, columns, _ = problem(60, 6, outputs + 1, seed=5)
    coordinates = problem(60, 6, outputs, seed=5)[-1]
    absolute, square = 0.02, 0.01
    terms = terms_of(X, shares, labels[:, :-1], absolute, square, free)._replace(baseline=True)
    with dispatch.force(implementation):
        ended = descend(columns, coordinates, terms, tolerance=1e-10, sweeps=3000)
    assert ended.sweeps < 3000
    found = ended.coordinates.weights.numpy().reshape(outputs, 6)
    weights, intercept = np.vstack([found, np.zeros(6)]), np.append(ended.coordinates.intercept.numpy(), 0.0)
    residual = shares[:, None] * (softmax(X @ weights.T + intercept, axis=1) - labels)
    slopes = (X.T @ residual).T[:-1] + square * found
    away = np.where(found == 0, np.maximum(np.abs(slopes) - absolute, 0), np.abs(slopes + absolute * np.sign(found)))
    assert away.max() < 1e-8
    assert np.count_nonzero(found) > 0
    assert np.abs(residual.sum(axis=0)).max() < 1e-8 if free else not ended.coordinates.intercept.any()


def norms_of(weights):
    return np.linalg.norm(weights, axis=0)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize(("absolute", "square", "free"), [(0.0, 0.0, True), (0.02, 0.01, True), (0.01, 0.0, False)])
def test_rows_end_where_their_optimality_conditions_hold(implementation, absolute, square, free):
    X, shares, labels, columns, coordinates = problem(60, 8, 4, seed=3)
    norm = 0.03
    terms = terms_of(X, shares, labels, absolute, square, free)._replace(norm=norm)
    with dispatch.force(implementation):
        ended = descend(columns, coordinates, terms, tolerance=1e-8, sweeps=3000)
    assert ended.sweeps < 3000
    weights, intercept = ended.coordinates.weights.numpy().reshape(4, 8), ended.coordinates.intercept.numpy()
    residual = shares[:, None] * (softmax(X @ weights.T + intercept, axis=1) - labels)
    slopes = (X.T @ residual).T + square * weights
    zero = norms_of(weights) == 0
    assert 0 < zero.sum() < 8
    soft = np.sign(slopes) * np.maximum(np.abs(slopes) - absolute, 0)
    assert (norms_of(soft)[zero] <= norm + 1e-7).all()
    inside = weights / np.maximum(norms_of(weights), 1e-300) * norm + absolute * np.sign(weights) + slopes
    away = np.where(weights != 0, np.abs(inside), np.maximum(np.abs(slopes) - absolute, 0))
    assert away[:, ~zero].max() < 1e-6
    assert np.abs(residual.sum(axis=0)).max() < 1e-7 if free else not intercept.any()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize(("size", "begun"), [(1e-3, 0.0), (1.0, 0.0), (1e3, 0.0), (1.0, 1000.0)])
def test_the_value_of_rows_never_rises_however_far_they_begin(implementation, size, begun):
    X, shares, labels, columns, coordinates = problem(50, 6, 4, seed=2, size=size)
    norm = 1e-3 * size
    terms = terms_of(X, shares, labels, 0.0, 0.0)._replace(norm=norm)
    coordinates = coordinates._replace(weights=begun * torch.linspace(-1.0, 1.0, 24, dtype=torch.float64))

    def value(found):
        weights = found.weights.numpy().reshape(4, 6)
        smooth = objective(X, shares, labels, weights, found.intercept.numpy(), 0.0, 0.0)
        return smooth + norm * norms_of(weights).sum()

    values = [value(coordinates)]
    for _ in range(30):
        with dispatch.force(implementation):
            coordinates = descend(columns, coordinates, terms, tolerance=0.0, sweeps=1).coordinates
        values.append(value(coordinates))
    assert (np.diff(values) <= 1e-12 * np.abs(values[:-1])).all()
    assert values[-1] < values[0]


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_products_and_logits(implementation):
    X, _, _, columns, coordinates = problem(30, 5, 3, seed=4)
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(15, generator=generator, dtype=torch.float64)
    weights[::4] = 0.0
    moved = coordinates._replace(weights=weights, intercept=torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    residual = torch.randn(30, 3, generator=generator, dtype=torch.float64)
    with dispatch.force(implementation):
        logits = column_logits(columns, moved, samples=30)
        products = column_products(columns, residual, moved)
    expected = X @ weights.numpy().reshape(3, 5).T + np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(logits.T, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(products, (X.T @ residual.numpy()).T.ravel(), rtol=1e-10, atol=1e-12)


def test_logits_thousands_apart_underflow_and_the_value_still_falls():
    X, shares, labels, columns, coordinates = problem(40, 6, 3, seed=5)
    ended = coordinates._replace(weights=torch.linspace(-2000.0, 2000.0, 18, dtype=torch.float64))
    terms = terms_of(X, shares, labels, 0.01, 0.0)
    values = []
    for sweeps in (1, 1, 10, 100, 1000):
        ended = descend(columns, ended, terms, tolerance=1e-10, sweeps=sweeps).coordinates
        weights = ended.weights.numpy().reshape(3, 6)
        values.append(objective(X, shares, labels, weights, ended.intercept.numpy(), 0.01, 0.0))
    assert np.isfinite(values).all()
    assert (np.diff(values) < 0).all()
    assert values[-1] < 0.05 * values[0]


def test_no_columns_at_all():
    X, shares, labels, _, coordinates = problem(20, 4, 3, seed=6)
    none = SparseColumns(torch.zeros(1, dtype=torch.int64), torch.zeros(0, dtype=torch.int32), torch.zeros(0))
    empty = Coordinates(
        torch.zeros(0, dtype=torch.int32),
        torch.zeros(4, dtype=torch.int64),
        torch.zeros(0, dtype=torch.float64),
        coordinates.intercept,
    )
    terms = terms_of(X, shares, labels, 0.1, 0.0)._replace(slopes=torch.zeros(0, dtype=torch.float64))
    ended = descend(none, empty, terms, tolerance=1e-12, sweeps=1000).coordinates
    np.testing.assert_allclose(softmax(ended.intercept.numpy()), shares @ labels, atol=1e-9)
