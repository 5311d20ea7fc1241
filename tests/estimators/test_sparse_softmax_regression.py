"""Softmax regression on CSR rows with many features: scikit-learn's optimum, awkward matrices, sparse coefficients."""

import warnings

import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from gradus import SoftmaxRegression, SoftmaxRegressionCV
from gradus.core.errors import InputError
from gradus.data import Dataset
from gradus.losses import CrossEntropy, LinearModel, SparseFeatures, SparseGap
from gradus.penalties import L1, ElasticNet, GroupLasso, SparseGroupLasso
from gradus.runs.model import FitRecord, LinearClassifier, load


def texts(rows=120, features=400, classes=3, seed=0):
    """Rows of unit length with few entries, and classes that some features tell apart."""
    generator = np.random.default_rng(seed)
    X = scipy.sparse.random_array((rows, features), density=0.05, rng=generator).tolil()
    y = np.arange(rows) % classes
    X[np.arange(rows), y] = 1.0 + generator.random(rows)
    return scipy.sparse.csr_matrix(X), y


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_reaches_sagas_optimum(intercept, l1_ratio):
    X, y = texts()
    alpha = 5e-3
    ours = SoftmaxRegression(alpha, l1_ratio, tol=1e-9, fit_intercept=intercept, solver="coordinate-descent").fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        peer = LogisticRegression(
            C=1 / (alpha * len(y)),
            l1_ratio=l1_ratio,
            solver="saga",
            tol=1e-9,
            max_iter=20_000,
            fit_intercept=intercept,
            random_state=0,
        ).fit(X, y)
    assert ours.status_ == "converged"
    np.testing.assert_allclose(ours.predict_proba(X), peer.predict_proba(X), atol=2e-4)
    np.testing.assert_array_equal(np.abs(ours.coef_) > 1e-3, np.abs(peer.coef_) > 1e-3)


def test_the_gap_is_that_of_every_solver():
    X, y = texts()
    auto = SoftmaxRegression(5e-3, 1.0, tol=1e-7).fit(X, y)
    fista = SoftmaxRegression(5e-3, 1.0, tol=1e-7, solver="proximal-gradient", max_iter=50_000).fit(X, y)
    assert auto.relative_gap_ <= 1e-7
    assert 0 <= auto.dual_gap_ <= 1e-7 * auto.objective_
    assert auto.objective_ == pytest.approx(fista.objective_, rel=2e-7)
    assert auto.n_iter_ < 20


@pytest.mark.parametrize("penalty", [GroupLasso(6e-3), SparseGroupLasso(2e-3, 4e-3)])
def test_groups_of_rows_are_those_of_fista_on_dense_rows(penalty):
    X, y = texts(features=60)
    auto = SoftmaxRegression(penalty=penalty, tol=1e-7).fit(X, y)
    fista = SoftmaxRegression(penalty=penalty, tol=1e-7, solver="proximal-gradient", max_iter=50_000)
    fista.fit(X.toarray(), y)
    assert auto.relative_gap_ <= 1e-7
    assert auto.objective_ == pytest.approx(fista.objective_, rel=2e-7)
    used = np.linalg.norm(auto.coef_, axis=0) > 0
    assert 0 < used.sum() < 60
    np.testing.assert_allclose(auto.coef_, fista.coef_, atol=3e-2)
    assert auto.n_iter_ < 20


def test_indices_of_64_bits_duplicates_order_and_stored_zeros_change_nothing():
    X, y = texts()
    plain = SoftmaxRegression(5e-3, 1.0, tol=1e-7).fit(X, y)
    long = X.copy()
    long.indices, long.indptr = long.indices.astype(np.int64), long.indptr.astype(np.int64)
    reversed_rows = X.copy()
    for start, stop in zip(X.indptr[:-1], X.indptr[1:], strict=True):
        reversed_rows.indices[start:stop] = X.indices[start:stop][::-1]
        reversed_rows.data[start:stop] = X.data[start:stop][::-1]
    reversed_rows.has_sorted_indices = False
    halves = scipy.sparse.csr_matrix((np.repeat(X.data / 2, 2), np.repeat(X.indices, 2), 2 * X.indptr), shape=X.shape)
    assert halves.nnz == 2 * X.nnz
    kept = halves.data.copy()
    for other in (long, reversed_rows, halves):
        model = SoftmaxRegression(5e-3, 1.0, tol=1e-7).fit(other, y)
        np.testing.assert_allclose(model.coef_, plain.coef_, atol=1e-12)
        np.testing.assert_allclose(model.predict_proba(other), plain.predict_proba(X), atol=1e-12)
    np.testing.assert_array_equal(halves.data, kept)
    zeros = scipy.sparse.hstack([X, scipy.sparse.csr_matrix((len(y), 5))]).tocsr()
    zeros.data[::7] = 0.0
    compact = zeros.copy()
    compact.eliminate_zeros()
    with_zeros, without = (SoftmaxRegression(5e-3, 1.0, tol=1e-9).fit(Z, y) for Z in (zeros, compact))
    np.testing.assert_allclose(with_zeros.coef_, without.coef_, atol=1e-6)


@pytest.mark.parametrize("penalty", [L1(4e-3), ElasticNet(3e-3, 2e-3)])
def test_float32_rows_keep_their_type(penalty):
    X, y = texts()
    model = SoftmaxRegression(penalty=penalty, tol=1e-5, temperature=0.5).fit(X.astype(np.float32), y)
    assert model.coef_.dtype == np.float32
    assert model.status_ == "converged"
    features = SparseFeatures(scipy.sparse.csr_array(X))
    loss = CrossEntropy(torch.from_numpy(y), 3)
    share = torch.full((len(y),), 1 / len(y), dtype=torch.float64)
    point = torch.from_numpy(np.vstack([model.coef_.T, model.intercept_]).astype(np.float64))
    assert SparseGap(LinearModel(loss, features, share, True, 2.0), features, penalty)(point) <= 2e-5


def test_a_path_of_strengths():
    X, y = texts()
    model = SoftmaxRegressionCV(alphas=[2.0, 0.02, 0.01, 5e-3], l1_ratio=1.0, cv=3, tol=1e-5, keep_path=True).fit(X, y)
    assert model.results_.relative_gap.max() <= 1e-5
    counts = (model.results_.coefficients != 0).sum(axis=(2, 3))
    assert (counts[:, 0] == 0).all()
    assert (counts[:, -1] > 0).all()


def test_named_where_it_cannot_work():
    X, y = texts()
    with pytest.raises(InputError, match="processor's memory, and the penalty is L2 and the data in memory"):
        SoftmaxRegression(solver="coordinate-descent").fit(X, y)


def test_without_a_penalty_rows_without_numbers():
    X, y = texts(rows=60, features=20)
    X.data[X.indptr[5] : X.indptr[6]] = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = SoftmaxRegression(0.0, max_iter=20).fit(X, y)
    assert np.isfinite(model.coef_).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_coefficients_predict_the_same(dtype):
    X, y = texts()
    X = X.astype(dtype)
    model = SoftmaxRegression(5e-3, 1.0, temperature=0.7).fit(X, y)
    dense, coefficients = model.decision_function(X), model.coef_
    assert model.sparsify() is model
    assert scipy.sparse.issparse(model.coef_)
    assert model.coef_.nnz == np.count_nonzero(coefficients)
    for matrix in (X, X.toarray()):
        np.testing.assert_allclose(model.decision_function(matrix), dense, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(model.predict(matrix), dense.argmax(axis=1))
    again = model.set_params(warm_start=True).fit(X, y)
    assert again.n_iter_ == 0
    np.testing.assert_allclose(model.sparsify().densify().coef_, coefficients, rtol=1e-6)


def test_sparse_coefficients_are_saved_as_they_are(tmp_path):
    X, y = texts()
    model = SoftmaxRegression(5e-3, 1.0).fit(X, y).sparsify()
    record = FitRecord(5e-3, 1.0, 1e-4, 3, "converged", "none", len(y), 0, ())
    saved = LinearClassifier(model.coef_, model.intercept_, ("a", "b", "c"), None, None, record)
    saved.save(tmp_path / "model.safetensors")
    loaded = load(tmp_path / "model.safetensors")
    assert scipy.sparse.issparse(loaded.coef)
    assert (loaded.coef != model.coef_).nnz == 0
    rows = X.toarray()
    dataset = Dataset("texts", rows, None, (), np.arange(len(rows)).astype(str))
    np.testing.assert_allclose(loaded.scores(dataset, slice(None)), model.decision_function(rows), rtol=1e-12)
    assert (tmp_path / "model.safetensors").stat().st_size < model.coef_.shape[1] * 8
