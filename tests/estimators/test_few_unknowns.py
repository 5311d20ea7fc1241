"""Fits with few weights: whom "auto" gives them to, two classes as one output, and what comes out of it."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from gradus.core.errors import InputError
from gradus.estimators import SoftmaxRegression
from gradus.estimators.few_unknowns import newton_of_few
from gradus.losses import CrossEntropy, DenseFeatures, LinearModel
from gradus.penalties import L1, L2, ElasticNet, GroupLasso, Nuclear, SparseGroupLasso

PENALTIES = {
    "l2": L2(3e-3),
    "l1": L1(3e-3),
    "elastic net": ElasticNet(2e-3, 1e-3),
    "group lasso": GroupLasso(4e-3),
    "sparse group lasso": SparseGroupLasso(2e-3, 2e-3),
}


def data(classes, seed=0, samples=160, features=5):
    generator = np.random.default_rng(seed)
    X = generator.standard_normal((samples, features)) + 2.0
    logits = X @ generator.standard_normal((features, classes)) + 1.5 * generator.gumbel(size=(samples, classes))
    return X, logits.argmax(axis=1)


def model_of(X, y):
    X = torch.from_numpy(X)
    return LinearModel(CrossEntropy(torch.from_numpy(y), 2), DenseFeatures(X), X.new_full((len(X),), 1 / len(X)))


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)
def test_finds_the_minimum_of_a_solver_that_knows_nothing_of_it(penalty, classes, intercept):
    X, y = data(classes)
    settings = {"penalty": penalty, "tol": 1e-9, "fit_intercept": intercept}
    found = SoftmaxRegression(solver="newton", **settings).fit(X, y)
    plain = SoftmaxRegression(solver="proximal-gradient", max_iter=50_000, **settings).fit(X, y)
    assert found.status_ == "converged"
    assert found.n_iter_ <= 12
    assert found.objective_ == pytest.approx(plain.objective_, rel=2e-9)
    np.testing.assert_allclose(found.predict_proba(X), plain.predict_proba(X), atol=1e-4)
    np.testing.assert_array_equal(np.abs(found.coef_) < 1e-3, np.abs(plain.coef_) < 1e-3)


def test_two_classes_share_what_scikit_learn_gives_one():
    X, y = data(2)
    found = SoftmaxRegression(alpha=1e-2, tol=1e-11).fit(X, y)
    # squares of -u / 2 and u / 2 are half of those of u
    peer = LogisticRegression(C=2 / (1e-2 * len(X)), tol=1e-12, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(found.coef_[1] - found.coef_[0], peer.coef_[0], rtol=1e-5)
    np.testing.assert_array_equal(found.coef_[0], -found.coef_[1])
    np.testing.assert_allclose(found.intercept_[1] - found.intercept_[0], peer.intercept_[0], rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_published_has_the_objective_and_gap_that_are_said(dtype):
    X, y = data(2)
    X = X.astype(dtype)
    found = SoftmaxRegression(penalty=L1(1e-2), temperature=2.0).fit(X, y)
    W, b = found.coef_.T.astype(np.float64), found.intercept_.astype(np.float64)
    logits = X.astype(np.float64) @ W / 2.0 + b
    losses = np.logaddexp(logits[:, 0], logits[:, 1]) - logits[np.arange(len(X)), y]
    assert found.coef_.dtype == dtype
    assert found.objective_ == pytest.approx(losses.mean() + 1e-2 * np.abs(W).sum(), rel=1e-6)
    best = SoftmaxRegression(penalty=L1(1e-2), temperature=2.0, tol=1e-9).fit(X.astype(np.float64), y)
    assert -1e-7 <= found.objective_ - best.objective_ <= found.dual_gap_ + 1e-7


def test_labels_that_are_probabilities_and_weights_of_two_classes():
    X = data(2)[0]
    generator = np.random.default_rng(1)
    shares, weights = generator.uniform(size=len(X)), generator.uniform(size=len(X))
    soft = np.stack([1 - shares, shares], axis=1)
    found = SoftmaxRegression(alpha=1e-2, tol=1e-9).fit(X, soft, weights)
    # a row twice, once for each class, says the same
    double = SoftmaxRegression(alpha=1e-2, tol=1e-9, solver="lbfgs").fit(
        np.vstack([X, X]), np.repeat([0, 1], len(X)), np.concatenate([weights * (1 - shares), weights * shares])
    )
    np.testing.assert_allclose(found.coef_, double.coef_, atol=1e-5)
    np.testing.assert_allclose(np.ptp(found.intercept_), np.ptp(double.intercept_), rtol=1e-5)


def test_a_warm_start_of_two_classes_goes_on_from_the_difference():
    X, y = data(2)
    model = SoftmaxRegression(alpha=1e-2, tol=1e-6, warm_start=True).fit(X, y)
    before = model.coef_
    # all logits alike say nothing about the classes
    model.coef_, model.intercept_ = before + 3.0, model.intercept_ - 1.0
    model.fit(X, y)
    assert model.n_iter_ == 0
    np.testing.assert_allclose(model.coef_, before, atol=1e-12)


def test_auto_takes_it_where_data_is_few_and_the_penalty_allows():
    X, y = data(2)
    model = model_of(X, y)
    assert all(newton_of_few("auto", model, penalty) is not None for penalty in PENALTIES.values())
    assert newton_of_few("auto", model, Nuclear(1e-3)) is None
    assert newton_of_few("auto", model, L2(1e-3), kept=True) is None
    assert newton_of_few("newton", model, L2(1e-3), kept=True) is not None
    assert newton_of_few("lbfgs", model, L2(1e-3)) is None
    many = np.zeros((30, 1500))
    assert newton_of_few("auto", model_of(many, np.arange(30) % 2), L2(1e-3)) is None


def test_a_solver_that_is_named_and_cannot_is_refused():
    X, y = data(2)
    with pytest.raises(InputError, match=r"solver is 'newton', which is for L2.*the penalty is Nuclear"):
        SoftmaxRegression(penalty=Nuclear(1e-3), solver="newton").fit(X, y)
    with pytest.raises(InputError, match="of 3000 weights: use 'auto'"):
        SoftmaxRegression(solver="newton", fit_intercept=False).fit(np.eye(40, 3000), np.arange(40) % 2)
