"""Coordinate descent on logistic regression, against scikit-learn's solvers and the gap computed by NumPy."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from scipy.special import expit, xlogy
from sklearn.linear_model import LogisticRegression

from gradus.core.errors import InputError
from gradus.losses import (
    ColumnModel,
    DenseFeatures,
    DualityGap,
    LinearModel,
    Logistic,
    SparseFeatures,
    SparseGap,
    Squared,
    column_access,
)
from gradus.penalties import L1, ElasticNet, GroupLasso, Masked
from gradus.solvers import CoordinateDescent, Stop, Terms, minimize

SAMPLES, FEATURES = 120, 300
STRENGTH = 0.02


def data(dtype=np.float64):
    """Correlated columns, a third of the entries 0, an empty and a doubled column; labels -1 and 1."""
    random = np.random.default_rng(4)
    X = random.normal(size=(SAMPLES, FEATURES)) + random.normal(size=(SAMPLES, 1))
    X[random.random(X.shape) < 0.3] = 0.0
    X[:, 7], X[:, 9] = 0.0, X[:, 8]
    signs = np.where(X[:, :12] @ random.normal(size=12) + random.normal(size=SAMPLES) > 0.5, 1.0, -1.0)
    return X.astype(dtype), signs


def model_of(X, signs, *, sparse, intercept):
    rows = SparseFeatures(csr_array(X)) if sparse else DenseFeatures(torch.from_numpy(X))
    dtype = torch.from_numpy(X).dtype
    loss = Logistic(torch.from_numpy((signs[:, None] + 1) / 2).to(dtype))
    return LinearModel(loss, rows, torch.full((len(X),), 1 / len(X), dtype=dtype), intercept)


def fitted(model, penalty, terms, tolerance):
    penalised = Masked(penalty, FEATURES) if model.intercept else penalty
    columns = column_access(model.features)
    gap = DualityGap(model, penalty) if isinstance(penalty, GroupLasso) else SparseGap(model, columns, penalty)
    stop = Stop(gap, tolerance, 100)
    return minimize(ColumnModel(model, columns), penalised, model.zeros(), CoordinateDescent(terms), stop)


def value(X, signs, weights, intercept, l1, l2):
    losses = np.logaddexp(0.0, -signs * (X @ weights + intercept))
    return losses.mean() + l1 * np.abs(weights).sum() + 0.5 * l2 * weights @ weights


def numpys_gap(X, signs, weights, l1, l2):
    """The relative gap without an intercept, at the residuals scaled into the dual's domain."""
    labels = (signs + 1) / 2
    residual = expit(X @ weights) - labels
    scale = 1.0 if l2 else min(1.0, l1 / np.abs(X.T @ residual / len(X)).max())
    chances = labels + scale * residual
    entropy = -(xlogy(chances, chances) + xlogy(1 - chances, 1 - chances)).mean()
    excess = np.maximum(np.abs(X.T @ (scale * residual) / len(X)) - l1, 0.0)
    conjugate = (excess**2).sum() / (2 * l2) if l2 else 0.0
    primal = value(X, signs, weights, 0.0, l1, l2)
    return (primal - entropy + conjugate) / primal


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("l2", [0.0, 0.01])
def test_the_gap_without_an_intercept_holds_by_numpys_arithmetic(sparse, dtype, l2):
    X, signs = data(dtype)
    penalty = ElasticNet(STRENGTH, l2) if l2 else L1(STRENGTH)
    tolerance = 1e-6 if dtype == np.float32 else 1e-9
    model = model_of(X, signs, sparse=sparse, intercept=False)
    found = fitted(model, penalty, Terms(STRENGTH, l2, FEATURES), tolerance)
    assert found.converged
    assert found.point.dtype == model.features.dtype
    weights = found.point[:, 0].double().numpy()
    assert 5 < np.count_nonzero(weights) < 100
    assert numpys_gap(X.astype(np.float64), signs, weights, STRENGTH, l2) <= 2 * tolerance


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(
    ("intercept", "peer"),
    [
        (False, {"solver": "liblinear", "tol": 1e-6, "max_iter": 10_000}),
        (True, {"solver": "saga", "tol": 1e-7, "max_iter": 20_000}),
    ],
)
def test_is_as_low_as_scikit_learn(sparse, intercept, peer):
    X, signs = data()
    model = model_of(X, signs, sparse=sparse, intercept=intercept)
    found = fitted(model, L1(STRENGTH), Terms(STRENGTH, 0.0, FEATURES), 1e-10)
    strength = 1 / (STRENGTH * SAMPLES)
    theirs = LogisticRegression(l1_ratio=1, C=strength, fit_intercept=intercept, **peer).fit(X, signs)
    lowest = value(X, signs, theirs.coef_[0], float(theirs.intercept_[0]) if intercept else 0.0, STRENGTH, 0.0)
    bias = found.point[-1, 0].item() if intercept else 0.0
    ours = value(X, signs, found.point[:FEATURES, 0].numpy(), bias, STRENGTH, 0.0)
    assert found.converged
    assert ours <= lowest * (1 + 1e-10)
    assert ours == pytest.approx(lowest, rel=1e-6)
    assert ours == pytest.approx(found.value, rel=1e-12)


def test_a_group_of_one_weight_is_its_absolute_value():
    model = model_of(*data(), sparse=False, intercept=True)
    groups = fitted(model, GroupLasso(STRENGTH), Terms(0.0, 0.0, FEATURES, STRENGTH), 1e-10)
    single = fitted(model, L1(STRENGTH), Terms(STRENGTH, 0.0, FEATURES), 1e-10)
    assert groups.converged
    assert groups.value == pytest.approx(single.value, rel=1e-9)


def test_losses_that_are_not_log_linear_are_refused():
    X, signs = data()
    features, weights = DenseFeatures(torch.from_numpy(X)), torch.full((SAMPLES,), 1 / SAMPLES, dtype=torch.float64)
    several = LinearModel(Logistic(torch.zeros(SAMPLES, 2, dtype=torch.float64)), features, weights)
    with pytest.raises(InputError, match="fit each alone"):
        ColumnModel(several, column_access(features))
    squares = LinearModel(Squared(torch.from_numpy(signs)[:, None]), features, weights)
    with pytest.raises(InputError, match="not log-linear"):
        ColumnModel(squares, column_access(features))
