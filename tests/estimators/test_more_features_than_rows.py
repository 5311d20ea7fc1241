"""Sparse penalties on dense rows with more features than rows: the optimum of others, whatever the numbers are."""

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from gradus import SoftmaxRegression, SoftmaxRegressionCV
from gradus.penalties import GroupLasso, SparseGroupLasso


def expressions(rows=60, features=150, classes=3, seed=0):
    """Features that go together in tens, as genes do, and classes that five of them tell apart."""
    generator = np.random.default_rng(seed)
    tens = np.repeat(generator.standard_normal((rows, features // 10)), 10, axis=1)
    X = generator.standard_normal((rows, features)) + tens
    truth = np.zeros((features, classes))
    truth[:: features // 5] = 2 * generator.standard_normal((5, classes))
    logits = X @ truth
    return X, np.argmax(logits + generator.gumbel(size=logits.shape), axis=1)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_reaches_sagas_optimum(intercept, l1_ratio):
    X, y = expressions()
    alpha = 0.05
    ours = SoftmaxRegression(alpha, l1_ratio, tol=1e-9, fit_intercept=intercept).fit(X, y)
    settings = {"solver": "saga", "tol": 1e-10, "max_iter": 20_000, "fit_intercept": intercept, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        peer = LogisticRegression(C=1 / (alpha * len(y)), l1_ratio=l1_ratio, **settings).fit(X, y)
    assert ours.status_ == "converged"
    # FISTA, which such data would go to otherwise, takes hundreds
    assert ours.n_iter_ < 40
    np.testing.assert_allclose(ours.predict_proba(X), peer.predict_proba(X), atol=1e-4)
    np.testing.assert_array_equal(np.abs(ours.coef_) > 1e-3, np.abs(peer.coef_) > 1e-3)


@pytest.mark.parametrize("penalty", [GroupLasso(0.05), SparseGroupLasso(0.01, 0.04)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.uint8])
def test_rows_of_any_type_have_the_optimum_of_fista(penalty, dtype):
    X, y = expressions()
    X = np.clip(40 * X + 128, 0, 255).astype(np.uint8) if dtype == np.uint8 else X.astype(dtype)
    scale = 40.0 if dtype == np.uint8 else 1.0
    auto = SoftmaxRegression(penalty=penalty, temperature=scale, tol=1e-5).fit(X, y)
    fista = SoftmaxRegression(penalty=penalty, temperature=scale, tol=1e-5, solver="proximal-gradient", max_iter=9000)
    fista.fit(X, y)
    assert auto.relative_gap_ <= 1e-5
    assert auto.objective_ == pytest.approx(fista.objective_, rel=1.1e-5)
    assert auto.n_iter_ < 30


def test_a_path_is_that_of_the_same_rows_in_csr():
    X, y = expressions()
    chosen = SoftmaxRegressionCV(alphas=[0.3, 0.1, 0.05], l1_ratio=1.0, cv=3, tol=1e-6, keep_path=True)
    dense, sparse = chosen.fit(X, y).results_, chosen.fit(csr_matrix(X), y).results_
    assert max(dense.relative_gap.max(), sparse.relative_gap.max()) <= 1e-6
    np.testing.assert_allclose(dense.cross_entropy, sparse.cross_entropy, rtol=1e-4)
