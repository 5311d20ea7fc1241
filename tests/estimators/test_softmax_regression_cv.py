"""The chosen strength and every fold's fits against scikit-learn; what must not take part; wrong settings."""

import warnings

import numpy as np
import pytest
import scipy.sparse
import scipy.special
from sklearn.datasets import load_digits, load_iris, make_blobs, make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.metrics import accuracy_score, log_loss, top_k_accuracy_score
from sklearn.model_selection import PredefinedSplit, StratifiedKFold
from sklearn.preprocessing import StandardScaler
from sklearn.utils import shuffle
from sklearn.utils.estimator_checks import parametrize_with_checks

from gradus import SoftmaxRegression, SoftmaxRegressionCV
from gradus.core.errors import InputError
from gradus.metrics import Wilson


@parametrize_with_checks(
    [SoftmaxRegressionCV(alphas=[0.1, 0.01], cv=2), SoftmaxRegressionCV(alphas=[0.1, 0.01], l1_ratio=0.5, cv=2)]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def data(classes=3, samples=300, dtype=np.float64, seed=0):
    X, y = make_classification(
        samples, 8, n_informative=6, n_classes=classes, n_clusters_per_class=1, flip_y=0.1, random_state=seed
    )
    return X.astype(dtype), y


def test_every_fold_and_strength_equals_logistic_regression():
    X, y = data()
    folds = list(StratifiedKFold(3).split(X, y))
    alphas = [1.0, 1e-2, 1e-4]
    model = SoftmaxRegressionCV(alphas, cv=folds, tol=1e-11, keep_path=True, scoring=2).fit(X, y)
    results = model.results_
    assert results.coefficients.shape == (3, 3, 3, 8)
    for i, (fitted, held) in enumerate(folds):
        assert results.rows[i] == len(held)
        for j, alpha in enumerate(alphas):
            peer = LogisticRegression(C=1 / (alpha * len(fitted)), tol=1e-10, max_iter=10_000).fit(X[fitted], y[fitted])
            # strong convexity: a gap g leaves at most sqrt(2 g / alpha) to the weights
            atol = np.sqrt(2e-11 / alpha) + 1e-5
            np.testing.assert_allclose(results.coefficients[i, j], peer.coef_, atol=atol)
            np.testing.assert_allclose(results.intercepts[i, j], peer.intercept_, atol=5 * atol)
            probabilities = peer.predict_proba(X[held])
            assert results.error[i, j] == pytest.approx(1 - accuracy_score(y[held], peer.predict(X[held])))
            assert results.cross_entropy[i, j] == pytest.approx(log_loss(y[held], probabilities), abs=1e-4)
            assert results.score[i, j] == pytest.approx(1 - top_k_accuracy_score(y[held], probabilities, k=2))
    low, high = results.error_interval()
    assert (low[1, 1], high[1, 1]) == Wilson().proportion(results.error[1, 1], results.rows[1])
    assert ((low <= results.error) & (results.error <= high)).all()


def test_the_chosen_strength_and_final_fit_equal_those_of_scikit_learn():
    X, y = data()
    folds = list(StratifiedKFold(5, shuffle=True, random_state=1).split(X, y))
    alphas = np.geomspace(1, 1e-4, 9)
    ours = SoftmaxRegressionCV(alphas, cv=folds, scoring="cross_entropy", tol=1e-10).fit(X, y)
    Cs = 1 / (alphas * 240)  # every fold fits 240 rows
    peer = LogisticRegressionCV(
        Cs=Cs, cv=folds, scoring="neg_log_loss", tol=1e-9, max_iter=10_000, l1_ratios=(0,), use_legacy_attributes=False
    ).fit(X, y)
    assert ours.alpha_ == pytest.approx(1 / (240 * peer.C_))
    alone = SoftmaxRegression(ours.alpha_, tol=1e-10).fit(X, y)
    np.testing.assert_allclose(ours.coef_, alone.coef_, atol=1e-5)
    assert ours.dual_gap_ <= 1e-10 * ours.objective_
    assert ours.status_ == "converged"
    same = SoftmaxRegressionCV(alphas, cv=5, random_state=1, scoring="cross_entropy", tol=1e-10).fit(X, y)
    assert same.alpha_ == ours.alpha_
    np.testing.assert_allclose(same.results_.cross_entropy, ours.results_.cross_entropy, rtol=1e-6)


@pytest.mark.parametrize(("name", "count", "least", "most"), [("dinov2", 45, 1e-6, 1e5), ("clip", 96, 1e-6, 1e6)])
def test_presets_are_the_published_values_of_C(name, count, least, most):
    X, y = load_digits(return_X_y=True)
    X, y = (X[:400] / 16).astype(np.float32), y[:400]
    model = SoftmaxRegressionCV(name, validation=0.25, random_state=0).fit(X, y)
    C = 1 / (model.alphas_ * 400)
    np.testing.assert_allclose(C, np.logspace(np.log10(least), np.log10(most), count))
    assert model.results_.relative_gap.max() <= 1e-4
    assert model.coef_.dtype == np.float32


def test_given_validation_rows_are_judged_and_never_fitted():
    X, y = data(samples=400)
    fit, held = slice(0, 300), slice(300, 400)
    given = SoftmaxRegressionCV(alphas=5, validation=(X[held], y[held]), tol=1e-9).fit(X[fit], y[fit])
    alone = SoftmaxRegression(given.alpha_, tol=1e-9).fit(X[fit], y[fit])
    np.testing.assert_allclose(given.coef_, alone.coef_, atol=np.sqrt(4e-9 / given.alpha_))
    assert given.n_iter_ == 0  # the path has been there already
    at = int(np.flatnonzero(given.alphas_ == given.alpha_)[0])
    assert given.results_.error[0, at] == pytest.approx(1 - alone.score(X[held], y[held]))
    predefined = PredefinedSplit(np.where(np.arange(400) < 300, -1, 0))
    split = SoftmaxRegressionCV(given.alphas_, cv=predefined, tol=1e-9).fit(X, y)
    np.testing.assert_allclose(split.results_.cross_entropy, given.results_.cross_entropy, rtol=1e-4)
    assert split.results_.rows.tolist() == [100]


def test_rows_held_out_change_the_choice_and_nothing_else():
    X, y = data(samples=400)
    other = np.roll(y[300:], 1)
    left, right = (
        SoftmaxRegressionCV(alphas=4, validation=(X[300:], labels), keep_path=True).fit(X[:300], y[:300])
        for labels in (y[300:], other)
    )
    assert np.array_equal(left.results_.coefficients, right.results_.coefficients)
    assert not np.array_equal(left.results_.error, right.results_.error)


def test_one_standard_error_is_the_strongest_that_cannot_be_told_apart():
    X, y = data(samples=600)
    settings = {"alphas": np.geomspace(1, 1e-5, 16), "scoring": "cross_entropy", "cv": 5}
    lowest = SoftmaxRegressionCV(**settings).fit(X, y)
    simpler = SoftmaxRegressionCV(**settings, selection="one_standard_error").fit(X, y)
    folds = lowest.results_.cross_entropy
    mean, error = folds.mean(axis=0), folds.std(axis=0, ddof=1) / np.sqrt(5)
    best = mean.argmin()
    assert lowest.alpha_ == lowest.alphas_[best]
    assert simpler.alpha_ == lowest.alphas_[mean <= mean[best] + error[best]].max()
    assert simpler.alpha_ > lowest.alpha_


def test_of_strengths_with_as_many_errors_the_likeliest_is_chosen():
    # the strongest strength keeps every weight of all rows at 0 and yet makes as few errors on these rows held out
    X, y = make_blobs(n_samples=300, random_state=0)
    X, y = shuffle(X[y != 2], y[y != 2], random_state=7)
    X = StandardScaler().fit_transform(X)
    for seed in range(5):
        model = SoftmaxRegressionCV(alphas=13, validation=0.3, l1_ratio=1.0, random_state=seed).fit(X, y)
        found = model.results_
        equal = found.mean_score == found.mean_score.min()
        assert found.mean_cross_entropy[equal].min() == found.mean_cross_entropy[model.alphas_ == model.alpha_]
        assert model.score(X, y) > 0.9


def test_likeliest_of_equals_breaks_ties_of_errors_by_cross_entropy():
    X, y = data(samples=200)
    model = SoftmaxRegressionCV(alphas=13, validation=0.2, random_state=0, selection="likeliest_of_equals").fit(X, y)
    error, entropy = model.results_.error[0], model.results_.cross_entropy[0]
    eligible = error <= error.min() + np.sqrt(error.min() * (1 - error.min()) / 40)
    assert model.alpha_ == model.alphas_[eligible][entropy[eligible].argmin()]


def test_weights_count_in_fits_and_in_scores():
    X, y = data()
    weights = np.random.default_rng(0).integers(1, 4, len(y))
    folds = [(np.arange(200), np.arange(200, 300))]
    repeated = np.repeat(np.arange(300), weights)
    again = [(np.flatnonzero(repeated < 200), np.flatnonzero(repeated >= 200))]
    settings = {"alphas": [0.1, 1e-3], "tol": 1e-12, "keep_path": True}
    weighted = SoftmaxRegressionCV(cv=folds, **settings).fit(X, y, sample_weight=weights)
    twice = SoftmaxRegressionCV(cv=again, **settings).fit(X[repeated], y[repeated])
    # each is within sqrt(2 gap / alpha) of the minimum
    np.testing.assert_allclose(weighted.results_.coefficients, twice.results_.coefficients, atol=6e-5)
    np.testing.assert_allclose(weighted.results_.error, twice.results_.error, atol=1e-12)
    np.testing.assert_allclose(weighted.coef_, twice.coef_, atol=1e-5)
    effective = weights[200:].sum() ** 2 / (weights[200:] ** 2).sum()
    assert weighted.results_.rows[0] == pytest.approx(effective)


def test_class_weights_reach_the_folds():
    X, y = data()
    balanced = SoftmaxRegressionCV([1e-2], cv=[(np.arange(200), np.arange(200, 300))], class_weight={0: 5}, tol=1e-10)
    balanced.set_params(keep_path=True).fit(X, y)
    alone = SoftmaxRegression(1e-2, class_weight={0: 5}, tol=1e-10).fit(X[:200], y[:200])
    np.testing.assert_allclose(balanced.results_.coefficients[0, 0], alone.coef_, atol=1e-5)


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_sparse_equals_dense(l1_ratio):
    X, y = data()
    X[np.abs(X) < 0.5] = 0
    settings = {"alphas": [0.1, 1e-2, 1e-3], "cv": 3, "tol": 1e-7, "l1_ratio": l1_ratio, "max_iter": 20_000}
    dense, sparse = (SoftmaxRegressionCV(**settings).fit(each, y) for each in (X, scipy.sparse.csr_matrix(X)))
    np.testing.assert_allclose(sparse.alphas_, dense.alphas_)
    np.testing.assert_allclose(sparse.results_.cross_entropy, dense.results_.cross_entropy, rtol=1e-4)
    np.testing.assert_allclose(sparse.predict_proba(scipy.sparse.csr_matrix(X)), dense.predict_proba(X), atol=1e-4)


def test_patience_ends_every_fold_at_the_same_strength():
    X, y = data(samples=150)
    whole = SoftmaxRegressionCV(alphas=20, cv=3).fit(X, y)
    short = SoftmaxRegressionCV(alphas=20, cv=3, patience=2).fit(X, y)
    reached = len(short.alphas_)
    assert reached < 20
    assert np.array_equal(short.alphas_, whole.alphas_[:reached])
    assert np.array_equal(short.results_.error, whole.results_.error[:, :reached])


def test_without_refit_the_coefficients_are_the_mean_of_the_folds():
    X, y = data()
    model = SoftmaxRegressionCV(alphas=3, cv=3, refit=False, keep_path=True).fit(X, y)
    at = int(np.flatnonzero(model.alphas_ == model.alpha_)[0])
    np.testing.assert_allclose(model.coef_, model.results_.coefficients[:, at].mean(axis=0))
    assert model.predict(X).shape == (300,)


def test_a_path_that_stops_early_warns_once_with_the_numbers():
    X, y = data()
    with pytest.warns(
        ConvergenceWarning, match=r"\d+ of 7 fits stopped with a relative duality gap above tol"
    ) as caught:
        model = SoftmaxRegressionCV(alphas=[1e-2, 1e-4], cv=3, max_iter=1, tol=1e-9).fit(X, y)
    assert len(caught) == 1
    assert not model.results_.converged.all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alphas": "dino"}, r"alphas is 'dino' \(did you mean 'dinov2'\?\)"),
        ({"alphas": 0}, "alphas is 0; expected at least one"),
        ({"alphas": [0.1, 0.0]}, "strengths > 0"),
        ({"alphas": [[0.1]]}, "strengths > 0"),
        ({"alphas": [np.nan]}, "strengths > 0"),
        ({"scoring": "accuracy"}, "scoring is 'accuracy'; expected 'error'"),
        ({"scoring": 9}, "scoring is 9; expected .* 1 to 3"),
        ({"selection": "max"}, "selection is 'max'.*; expected one of min"),
        ({"patience": 0}, "patience is 0"),
        ({"validation": 1.5}, "validation is 1.5"),
        ({"validation": (np.zeros((2, 8)),)}, "validation has 1 parts"),
        ({"validation": (np.zeros((2, 8)), [0, 7])}, "validation has the label 7"),
        ({"validation": (np.zeros((2, 8)), [0])}, "labels of shape"),
        ({"cv": 1000}, "cv is 1000"),
        ({"cv": [(np.arange(300), [])]}, "fold 0 fits 300 rows and holds out 0"),
        ({"l1_ratio": 2}, "l1_ratio is 2"),
    ],
    ids=str,
)
def test_wrong_settings_are_named(settings, message):
    X, y = data()
    with pytest.raises(InputError, match=message):
        SoftmaxRegressionCV(**settings).fit(X, y)


def test_before_fitting():
    with pytest.raises(NotFittedError):
        SoftmaxRegressionCV().predict(np.zeros((1, 2)))


def test_progress_is_shown(capsys):
    X, y = data()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SoftmaxRegressionCV(alphas=3, cv=2, verbose=1).fit(X, y)
    assert "choosing alpha: 6 of 6" in capsys.readouterr().err


@pytest.mark.parametrize("scoring", ["error", "cross_entropy", 2])
def test_probabilities_for_labels_are_scored_by_what_is_expected(scoring):
    X, y = load_digits(return_X_y=True)
    X, y = X[:300] / 16, y[:300]
    Y = 0.8 * np.eye(10)[y] + 0.02
    model = SoftmaxRegressionCV(alphas=4, cv=3, scoring=scoring, keep_path=True).fit(X, Y)
    assert model.classes_.tolist() == list(range(10))
    assert model.status_ == "converged"
    held_out = list(StratifiedKFold(3).split(X, y))[1][1]
    logits = X[held_out] @ model.results_.coefficients[1, 2].T + model.results_.intercepts[1, 2]
    chance = Y[held_out]
    ranks = np.argsort(np.argsort(-logits, axis=1), axis=1)
    expected = {
        "error": (chance * (ranks >= 1)).sum(axis=1).mean(),
        2: (chance * (ranks >= 2)).sum(axis=1).mean(),
        "cross_entropy": -(chance * scipy.special.log_softmax(logits, axis=1)).sum(axis=1).mean(),
    }
    assert model.results_.score[1, 2] == pytest.approx(expected[scoring], rel=1e-9)
    given = SoftmaxRegressionCV(alphas=4, validation=(X[:90], Y[:90])).fit(X[90:], Y[90:])
    assert given.results_.error.shape == (1, 4)


def test_sparse_coefficients_predict_as_dense_ones():
    X, y = load_iris(return_X_y=True)
    model = SoftmaxRegressionCV(alphas=5, l1_ratio=1.0, cv=3, tol=1e-3).fit(X, y)
    before, dense = model.predict_proba(X), model.coef_.copy()
    assert scipy.sparse.issparse(model.sparsify().coef_)
    np.testing.assert_allclose(model.predict_proba(X), before, rtol=1e-12)
    np.testing.assert_array_equal(model.densify().coef_, dense)
