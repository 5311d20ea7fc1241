"""Data at which softmax regression breaks elsewhere: right answers, or one clear sentence."""

import warnings

import numpy as np
import pytest
import scipy.sparse
import scipy.special
from sklearn.exceptions import ConvergenceWarning

from gradus.core.errors import InputError
from gradus.estimators import SoftmaxRegression

SOLVERS = {
    "lbfgs": {"solver": "lbfgs"},
    "newton": {"solver": "newton"},
    "newton-cg": {"solver": "newton-cg"},
    "proximal-newton": {"solver": "proximal-newton", "l1_ratio": 0.5},
    "proximal-gradient": {"solver": "proximal-gradient", "l1_ratio": 0.5},
}
KINDS = ["float32", "float64", "csr"]
every = pytest.mark.parametrize("kind", KINDS)
by_every_solver = pytest.mark.parametrize("solver", SOLVERS)


def stored(X, kind):
    return scipy.sparse.csr_array(X) if kind == "csr" else X.astype(kind)


def data(samples=120, features=6, classes=3, seed=0):
    generator = np.random.default_rng(seed)
    y = np.arange(samples) % classes
    return generator.normal(size=(samples, features)) + generator.normal(size=(classes, features))[y], y


def objective(model, X, y):
    """The documented objective in float64, in NumPy."""
    W = model.coef_.astype(np.float64)
    logits = X @ W.T + model.intercept_
    codes = np.searchsorted(model.classes_, y)
    loss = (scipy.special.logsumexp(logits, axis=1) - logits[np.arange(len(y)), codes]).mean()
    return loss + model.alpha * ((1 - model.l1_ratio) / 2 * (W**2).sum() + model.l1_ratio * np.abs(W).sum())


def reference(X, y, **settings):
    settings = settings | {"solver": "auto", "tol": 1e-8, "max_iter": 20_000}
    return objective(SoftmaxRegression(**settings).fit(X, y), X, y)


@every
@by_every_solver
def test_zero_and_duplicated_columns(kind, solver):
    X, y = data()
    X = np.hstack([X, np.zeros((len(X), 1)), X[:, :2]])
    settings = SOLVERS[solver] | {"alpha": 1e-2, "max_iter": 5000}
    model = SoftmaxRegression(**settings).fit(stored(X, kind), y)
    assert model.status_ == "converged"
    assert not model.coef_[:, 6].any()
    assert objective(model, X, y) <= reference(X, y, **settings) * (1 + 2e-4)
    if solver in ("lbfgs", "newton", "newton-cg"):
        # squares share a weight evenly among equal columns
        np.testing.assert_allclose(model.coef_[:, 7:], model.coef_[:, :2], atol=2e-3)


@every
@by_every_solver
def test_logits_of_ten_thousand(kind, solver):
    X, y = data()
    far = 1e4 * X
    settings = SOLVERS[solver] | {"alpha": 1e-2}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ConvergenceWarning)
        model = SoftmaxRegression(**settings, max_iter=300).fit(stored(far, kind), y)
    # a fit that did not get there says so, and no other one speaks
    assert len(said) == (model.status_ != "converged")
    assert all("relative duality gap is" in str(each.message) for each in said)
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.relative_gap_)
    found = objective(model, far, y)
    assert found == pytest.approx(model.objective_, rel=1e-4)
    assert found - model.dual_gap_ <= reference(far, y, **settings) * (1 + 1e-4)
    # whatever the fit: predictions at logits of 1e4 are finite and agree with float64
    model.coef_ = model.coef_ / np.abs(model.coef_).max() * 1.0
    logits = far @ model.coef_.T.astype(np.float64) + model.intercept_
    assert np.abs(logits).max() > 1e4
    log_probabilities = model.predict_log_proba(stored(far, kind))
    np.testing.assert_allclose(
        log_probabilities, scipy.special.log_softmax(logits, axis=1), rtol=1e-5, atol=1e-6 * np.abs(logits).max()
    )


@every
@pytest.mark.parametrize("solver", ["auto", "lbfgs", "newton-cg", "proximal-gradient"])
def test_separable_classes_without_a_penalty_are_named(kind, solver):
    X, y = data()
    X[:, 0] = 10.0 * (y == 0)
    X[:, 1] = 10.0 * (y == 1)
    with pytest.warns(ConvergenceWarning, match="linearly separable and alpha is 0, so no finite weights") as said:
        model = SoftmaxRegression(alpha=0.0, max_iter=100, solver=solver).fit(stored(X, kind), y)
    assert len(said) == 1
    assert model.score(X, y) == 1.0
    assert np.isfinite(model.coef_).all()


@every
@by_every_solver
def test_a_class_of_one_row(kind, solver):
    X, y = data()
    y[7] = 99
    settings = SOLVERS[solver] | {"alpha": 1e-2, "max_iter": 5000}
    model = SoftmaxRegression(**settings).fit(stored(X, kind), y)
    assert model.status_ == "converged"
    assert model.classes_.tolist() == [0, 1, 2, 99]
    assert objective(model, X, y) <= reference(X, y, **settings) * (1 + 2e-4)
    # of the fit with an intercept the mean probability is the class's share
    assert model.predict_proba(X)[:, 3].mean() == pytest.approx(1 / len(y), rel=0.05)


@pytest.mark.parametrize(
    ("kind", "solver", "classes"),
    [
        ("float32", "newton-cg", 5000),
        *[("float32", solver, 2000) for solver in ("lbfgs", "proximal-newton", "proximal-gradient")],
        ("float64", "newton-cg", 2000),
        ("csr", "proximal-gradient", 2000),
    ],
)
@pytest.mark.filterwarnings("ignore:The number of unique classes is greater:UserWarning")
def test_as_many_classes_as_rows(kind, solver, classes):
    generator = np.random.default_rng(0)
    y = np.arange(classes)
    X = generator.normal(size=(classes, 2))
    model = SoftmaxRegression(alpha=1.0, max_iter=300, **SOLVERS[solver]).fit(stored(X, kind), y)
    assert model.status_ == "converged"
    assert model.coef_.shape == (classes, 2)
    assert objective(model, X, y) == pytest.approx(model.objective_, rel=1e-5)
    assert model.objective_ <= np.log(classes) * (1 + 1e-6)
    np.testing.assert_allclose(model.predict_proba(stored(X[:50], kind)).sum(axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize(("kind", "size"), [("float32", 1e20), ("float64", 1e200)])
@pytest.mark.parametrize("solver", ["auto", *SOLVERS, "davis-yin", "primal-dual"])
def test_features_whose_squares_overflow_are_named(kind, size, solver):
    X, y = data()
    with pytest.raises(InputError, match=f"squares overflow {kind}.*divide the features"):
        SoftmaxRegression(**SOLVERS.get(solver, {"solver": solver})).fit(size * X.astype(kind), y)
