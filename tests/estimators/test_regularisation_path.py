"""Every fit of a path against scikit-learn at that strength, and its gap against independent code."""

import numpy as np
import pytest
import scipy.special
import torch
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from sklearn.linear_model import LogisticRegression

from gradus.core.solution import Status
from gradus.estimators.regularisation_path import regularisation_path, shared_spectrum
from gradus.estimators.softmax_problem import Settings
from gradus.estimators.strengths import largest_strength
from gradus.losses import CrossEntropy, DenseFeatures, DualityGap, LinearModel
from gradus.penalties import L2


def data(samples=300, classes=3, dtype=np.float64):
    X, y = make_classification(samples, 8, n_informative=6, n_classes=classes, n_clusters_per_class=1, random_state=0)
    return X.astype(dtype), y


def model_of(X, y, *, intercept=True, scale=1.0):
    loss = CrossEntropy(torch.from_numpy(np.asarray(y, np.int64)), int(y.max()) + 1)
    features = DenseFeatures(torch.from_numpy(X))
    return LinearModel(loss, features, torch.full((len(y),), 1 / len(y), dtype=features.dtype), intercept, scale)


def settings(**given):
    values = {"alpha": 1.0, "l1_ratio": 0.0, "temperature": 1.0, "tol": 1e-4, "max_iter": 1000, "solver": "auto"}
    return Settings(**(values | given))


def objective(point, X, y, alpha):
    weights, intercept = point[:-1].double().numpy(), point[-1].double().numpy()
    logits = X.astype(np.float64) @ weights + intercept
    loss = (scipy.special.logsumexp(logits, axis=1) - logits[np.arange(len(y)), y]).mean()
    return loss + alpha / 2 * (weights**2).sum()


@pytest.mark.parametrize("solver", ["auto", "newton-cg", "proximal-gradient"])
def test_every_fit_equals_logistic_regression(solver):
    X, y = data()
    alphas = np.geomspace(1.0, 1e-4, 6)
    points = list(regularisation_path(model_of(X, y), settings(tol=1e-11, solver=solver, max_iter=50_000), alphas))
    assert [point.alpha for point in points] == alphas.tolist()
    for point in points:
        peer = LogisticRegression(C=1 / (point.alpha * len(y)), tol=1e-10, max_iter=10_000).fit(X, y)
        found = point.solution.point
        np.testing.assert_allclose(found[:-1].numpy().T, peer.coef_, atol=1e-4 * max(1, np.abs(peer.coef_).max()))
        assert point.solution.status is Status.CONVERGED


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_gap_is_true_where_classes_are_separable(dtype):
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(dtype)
    alphas = np.geomspace(10, 1e-8, 12)
    loose = list(regularisation_path(model_of(X, y), settings(tol=1e-3), alphas))
    tight = list(regularisation_path(model_of(X.astype(np.float64), y), settings(tol=1e-8), alphas))
    for each, best in zip(loose, tight, strict=True):
        assert each.solution.status is Status.CONVERGED
        assert each.solution.point.dtype == torch.from_numpy(X).dtype
        found, minimum = (objective(of.solution.point, X, y, of.alpha) for of in (each, best))
        assert each.solution.value == pytest.approx(found, rel=1e-5)
        # the minimum is known to 1e-8 of itself
        assert found - minimum <= each.solution.certificate * found * (1 + 1e-5)
        assert found - minimum >= -1e-8 * found


def test_what_is_certified_is_what_is_returned():
    X, y = load_digits(return_X_y=True)
    model = model_of((X / 16).astype(np.float32), y)
    for each in regularisation_path(model, settings(), np.geomspace(1, 1e-6, 8)):
        gap = DualityGap(model, L2(each.alpha)).measure(each.solution.point)
        assert gap.relative <= each.solution.certificate * (1 + 1e-9)
        assert each.solution.value == pytest.approx(gap.primal, rel=2e-6)
        # the intercept is balanced: it is certified by a bound that has to move no counts to speak of
        totals = model.value_and_gradient(each.solution.point.double())[1][-1]
        assert totals.abs().max() <= 1e-5


def test_what_came_before_saves_iterations():
    X, y = load_digits(return_X_y=True)
    model, alphas = model_of(X / 16, y), np.geomspace(1, 1e-6, 19)
    along = sum(point.solution.iterations for point in regularisation_path(model, settings(), alphas))
    alone = sum(next(regularisation_path(model, settings(), [alpha])).solution.iterations for alpha in alphas)
    assert along < alone / 3


def test_rows_that_bend_the_loss_most_save_nearly_all_iterations_where_features_are_few():
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    model, alphas = model_of(X, y), np.geomspace(10, 1e-7, 17)
    weakest = [point.solution.iterations for point in regularisation_path(model, settings(), alphas)][-4:]
    # by the Gram matrix of all rows alone it is more than a hundred each
    assert max(weakest) <= 30


def test_uneven_and_rising_strengths_are_right_too():
    X, y = data()
    alphas = [1e-3, 1.0, 0.9, 1e-4, 1e-4, 3e-5]
    path = list(regularisation_path(model_of(X, y), settings(tol=1e-10), alphas))
    for point in path:
        peer = LogisticRegression(C=1 / (point.alpha * len(y)), tol=1e-10, max_iter=10_000).fit(X, y)
        np.testing.assert_allclose(point.solution.point[:-1].numpy().T, peer.coef_, atol=1e-3)


def test_similar_rows_lead_the_way_and_nowhere_else():
    X, y = load_digits(return_X_y=True)
    X, alphas = X / 16, np.geomspace(1, 1e-4, 7)
    other, own = model_of(X[100:], y[100:]), model_of(X[:-100], y[:-100])
    guide = {point.alpha: point.solution.point for point in regularisation_path(other, settings(), alphas)}
    alone, led = (list(regularisation_path(own, settings(), alphas, guide=each)) for each in (None, guide))
    assert sum(point.solution.iterations for point in led) < 0.8 * sum(point.solution.iterations for point in alone)
    for one, two in zip(alone, led, strict=True):
        assert two.solution.status is Status.CONVERGED
        assert two.solution.value == pytest.approx(one.solution.value, rel=2e-4)


def test_a_guide_may_know_some_of_the_strengths_only():
    X, y = data()
    alphas = [0.1, 0.03, 0.01, 0.003]
    (start,) = regularisation_path(model_of(X, y), settings(), [0.01])
    path = list(regularisation_path(model_of(X, y), settings(tol=1e-9), alphas, guide={0.01: start.solution.point}))
    for point in path:
        peer = LogisticRegression(C=1 / (point.alpha * len(y)), tol=1e-10, max_iter=10_000).fit(X, y)
        np.testing.assert_allclose(point.solution.point[:-1].numpy().T, peer.coef_, atol=1e-3)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("scale", [1.0, 0.2])
def test_the_spectrum_of_other_rows_changes_only_the_way(intercept, scale):
    X, y = data()
    own = model_of(X[::2], y[::2], intercept=intercept, scale=scale)
    other = shared_spectrum(model_of(X, y, intercept=intercept, scale=scale))
    paths = [regularisation_path(own, settings(tol=1e-10), [0.1, 1e-2, 1e-3], spectrum) for spectrum in (None, other)]
    for left, right in zip(*paths, strict=True):
        np.testing.assert_allclose(left.solution.point.numpy(), right.solution.point.numpy(), atol=1e-3)
        assert right.solution.status is Status.CONVERGED


def test_absolute_values_vanish_from_the_strongest_on():
    X, y = data()
    largest = largest_strength(model_of(X, y), l1_ratio=1.0)
    alphas = [1.001 * largest, 1e-2, 1e-3]
    path = list(regularisation_path(model_of(X, y), settings(l1_ratio=1.0, tol=1e-8), alphas))
    counts = [int((point.solution.point[:-1] != 0).sum()) for point in path]
    assert counts[0] == 0 < counts[1] < counts[2]
    peer = LogisticRegression(
        C=1 / (1e-2 * len(y)), l1_ratio=1, solver="saga", tol=1e-9, max_iter=50_000, random_state=0
    )
    np.testing.assert_allclose(path[1].solution.point[:-1].numpy().T, peer.fit(X, y).coef_, atol=1e-4)


def test_an_iteration_limit_is_told():
    X, y = data()
    (point,) = regularisation_path(model_of(X, y), settings(max_iter=1, tol=1e-12), [1e-4])
    assert point.solution.status is Status.ITERATION_LIMIT
    assert point.solution.iterations == 1
    assert point.solution.certificate > 1e-12
