"""Softmax regression against scikit-learn, against itself on equivalent data, and on wrong input."""

import os
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
import scipy.sparse
import scipy.special
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from gradus.core.errors import InputError
from gradus.estimators import SoftmaxRegression, stderr
from gradus.penalties import L1, MCP, GroupLasso, Nonnegative, Nuclear, Sum


@parametrize_with_checks([SoftmaxRegression(), SoftmaxRegression(alpha=1e-2, l1_ratio=0.5)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def data(classes=3, samples=200, dtype=np.float64, seed=0):
    X, y = make_classification(
        samples, 8, n_informative=6, n_classes=classes, n_clusters_per_class=1, flip_y=0.1, random_state=seed
    )
    return X.astype(dtype), y


def objective(model, X, y, weights=None):
    """The documented objective, in NumPy."""
    weights = np.ones(len(y)) if weights is None else np.asarray(weights, float)
    weights = weights / weights.sum()
    W = model.coef_.astype(np.float64)
    logits = X.astype(np.float64) @ W.T / model.temperature + model.intercept_
    codes = np.searchsorted(model.classes_, y)
    loss = weights @ (scipy.special.logsumexp(logits, axis=1) - logits[np.arange(len(y)), codes])
    alpha = model.alpha if model.penalty is None else 0.0
    ridge = (1 - model.l1_ratio) / 2 * (W**2).sum()
    return loss + alpha * (ridge + model.l1_ratio * np.abs(W).sum())


@pytest.mark.parametrize("solver", ["auto", "lbfgs", "newton", "newton-cg", "proximal-gradient"])
@pytest.mark.parametrize("intercept", [True, False])
def test_equals_logistic_regression(solver, intercept):
    X, y = data()
    alpha = 1e-2
    ours = SoftmaxRegression(alpha, tol=1e-12, solver=solver, fit_intercept=intercept, max_iter=20_000).fit(X, y)
    peer = LogisticRegression(C=1 / (alpha * len(y)), tol=1e-10, max_iter=5000, fit_intercept=intercept).fit(X, y)
    np.testing.assert_allclose(ours.coef_, peer.coef_, atol=1e-5)
    np.testing.assert_allclose(ours.predict_proba(X), peer.predict_proba(X), atol=1e-6)
    assert ours.objective_ == pytest.approx(objective(ours, X, y), rel=1e-12)


@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
def test_equals_saga_with_absolute_values(l1_ratio):
    X, y = data()
    alpha = 1e-2
    ours = SoftmaxRegression(alpha, l1_ratio, tol=1e-10, max_iter=20_000).fit(X, y)
    peer = LogisticRegression(
        C=1 / (alpha * len(y)), l1_ratio=l1_ratio, solver="saga", tol=1e-9, max_iter=50_000, random_state=0
    ).fit(X, y)
    np.testing.assert_allclose(ours.coef_, peer.coef_, atol=1e-4)
    assert np.array_equal(ours.coef_ == 0, np.abs(peer.coef_) < 1e-6)


def test_two_classes_have_two_rows_and_one_decision():
    X, y = data(classes=2)
    model = SoftmaxRegression(1e-2, tol=1e-12).fit(X, y)
    peer = LogisticRegression(C=2 / (1e-2 * len(y)), tol=1e-10, max_iter=5000).fit(X, y)
    assert model.coef_.shape == (2, 8)
    assert model.decision_function(X).shape == (len(y),)
    # two rows w and -w under alpha / 2 (|w|^2 + |w|^2) are one row 2 w under alpha / 4 |2 w|^2
    np.testing.assert_allclose(model.coef_[1] - model.coef_[0], peer.coef_[0], atol=1e-5)
    assert np.array_equal(model.predict(X), model.classes_[(model.decision_function(X) > 0).astype(int)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "settings",
    [{}, {"l1_ratio": 1.0, "alpha": 1e-3}, {"l1_ratio": 0.5, "alpha": 1e-3}, {"fit_intercept": False}],
    ids=str,
)
def test_the_gap_holds_on_digits(dtype, settings):
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(dtype)
    model = SoftmaxRegression(**settings).fit(X, y)
    tight = SoftmaxRegression(**settings, tol=1e-7, max_iter=20_000).fit(X.astype(np.float64), y)
    found, best = objective(model, X, y), objective(tight, X, y)
    assert model.status_ == "converged"
    assert model.relative_gap_ <= 1e-4
    assert found - best <= model.dual_gap_ + 1e-12
    assert model.dual_gap_ == pytest.approx(model.relative_gap_ * found, rel=1e-5)
    assert model.coef_.dtype == model.intercept_.dtype == dtype
    assert model.predict_proba(X).dtype == dtype


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_sparse_equals_dense(l1_ratio, index):
    X, y = data()
    X[np.abs(X) < 0.5] = 0
    rows = scipy.sparse.csr_matrix(X)
    rows.indices, rows.indptr = rows.indices.astype(index), rows.indptr.astype(index)
    dense, sparse = (SoftmaxRegression(1e-2, l1_ratio, tol=1e-11, max_iter=20_000).fit(each, y) for each in (X, rows))
    np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-5)
    np.testing.assert_allclose(sparse.predict_proba(rows), sparse.predict_proba(X), atol=1e-12)


def test_many_sparse_features_are_never_made_dense():
    rows = scipy.sparse.random_array((40, 2_000_000), density=1e-6, random_state=np.random.default_rng(0), format="csr")
    rows = rows + scipy.sparse.csr_array((np.ones(40), (np.arange(40), np.arange(40) % 2)), shape=rows.shape)
    y = np.arange(40) % 2
    model = SoftmaxRegression(1e-2).fit(rows, y)  # dense it would be 640 MB
    assert model.status_ == "converged"
    assert model.score(rows, y) == 1.0


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_a_weight_of_two_is_a_row_twice(l1_ratio):
    X, y = data()
    weights = np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
    repeated = np.repeat(np.arange(len(y)), weights.astype(int))
    settings = {"alpha": 1e-2, "l1_ratio": l1_ratio, "tol": 1e-11, "max_iter": 20_000}
    weighted = SoftmaxRegression(**settings).fit(X, y, sample_weight=weights)
    twice = SoftmaxRegression(**settings).fit(X[repeated], y[repeated])
    np.testing.assert_allclose(weighted.coef_, twice.coef_, atol=1e-5)
    assert weighted.objective_ == pytest.approx(objective(weighted, X, y, weights), rel=1e-10)


def test_class_weights_multiply_sample_weights():
    X, y = data()
    by_class = SoftmaxRegression(1e-2, class_weight={0: 1, 1: 2, 2: 3}, tol=1e-11).fit(X, y)
    by_sample = SoftmaxRegression(1e-2, tol=1e-11).fit(X, y, sample_weight=1.0 + y)
    np.testing.assert_allclose(by_class.coef_, by_sample.coef_, atol=1e-6)
    balanced = SoftmaxRegression(1e-2, class_weight="balanced", tol=1e-11).fit(X, y)
    by_count = SoftmaxRegression(1e-2, tol=1e-11).fit(X, y, sample_weight=1 / np.bincount(y)[y])
    np.testing.assert_allclose(balanced.coef_, by_count.coef_, atol=1e-6)


def test_temperature_divides_the_features():
    X, y = data()
    warm = SoftmaxRegression(1e-2, temperature=0.25, tol=1e-11).fit(X, y)
    scaled = SoftmaxRegression(1e-2, tol=1e-11).fit(4 * X, y)
    np.testing.assert_allclose(warm.coef_, scaled.coef_, atol=1e-6)
    np.testing.assert_allclose(warm.predict_proba(X), scaled.predict_proba(4 * X), atol=1e-6)


@pytest.mark.parametrize("penalty", [GroupLasso(0.05), Nuclear(0.05), L1(0.02)], ids=str)
def test_any_penalty(penalty):
    X, y = data()
    model = SoftmaxRegression(penalty=penalty, tol=1e-8, max_iter=20_000).fit(X, y)
    assert model.status_ == "converged"
    assert model.dual_gap_ >= 0
    weights = torch.from_numpy(model.coef_.T.copy())
    assert model.objective_ == pytest.approx(objective(model, X, y) + penalty.value(weights).item(), rel=1e-10)
    if isinstance(penalty, L1):
        same = SoftmaxRegression(0.02, 1.0, tol=1e-8, max_iter=20_000).fit(X, y)
        np.testing.assert_allclose(model.coef_, same.coef_, atol=1e-6)
    if isinstance(penalty, GroupLasso):
        zero_rows = (model.coef_ == 0).all(axis=0)
        assert np.array_equal(zero_rows, (model.coef_ == 0).any(axis=0))


def test_a_penalty_without_conjugate_is_stopped_by_the_gradient_mapping():
    class Plain:
        def value(self, point):
            return 0.01 * point.double().abs().sum()

        def prox(self, point, step):
            return point.sign() * (point.abs() - 0.01 * step).clamp_min(0)

    X, y = data()
    model = SoftmaxRegression(penalty=Plain(), tol=1e-8, max_iter=20_000).fit(X, y)
    same = SoftmaxRegression(0.01, 1.0, tol=1e-10, max_iter=20_000).fit(X, y)
    assert np.isnan(model.dual_gap_)
    np.testing.assert_allclose(model.coef_, same.coef_, atol=1e-4)


def test_the_strength_at_which_all_weights_vanish():
    X, y = data()
    residual = np.bincount(y) / len(y) - np.eye(3)[y]
    largest = np.abs(X.T @ residual / len(y)).max()
    above = SoftmaxRegression(largest * 1.001, 1.0, tol=1e-9).fit(X, y)
    below = SoftmaxRegression(largest * 0.98, 1.0, tol=1e-9, max_iter=20_000).fit(X, y)
    assert not above.coef_.any()
    assert below.coef_.any()
    np.testing.assert_allclose(above.predict_proba(X)[0], np.bincount(y) / len(y), atol=1e-4)


def test_without_a_penalty_separable_classes_are_named():
    X, y = load_digits(return_X_y=True)
    with pytest.warns(ConvergenceWarning, match="linearly separable and alpha is 0"):
        SoftmaxRegression(alpha=0.0, max_iter=50).fit(X / 16, y)


def test_without_a_penalty_mixed_classes_converge():
    X, y = data()
    model = SoftmaxRegression(alpha=0.0, tol=1e-9).fit(X, y)
    peer = LogisticRegression(C=np.inf, tol=1e-10, max_iter=5000).fit(X, y)
    assert np.isnan(model.dual_gap_)
    np.testing.assert_allclose(model.predict_proba(X), peer.predict_proba(X), atol=1e-5)


def test_stopping_early_warns_with_the_number():
    X, y = data()
    with pytest.warns(
        ConvergenceWarning, match=r"after 2 iterations the relative duality gap is \d\.\d+e.* above tol=0\.0001"
    ):
        model = SoftmaxRegression(max_iter=2).fit(X, y)
    assert model.status_ == "iteration_limit"
    assert model.n_iter_ == 2


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_warm_start_continues(l1_ratio):
    X, y = data(samples=400)
    model = SoftmaxRegression(1e-2, l1_ratio, warm_start=True, tol=1e-8, max_iter=20_000).fit(X, y)
    cold = model.n_iter_
    assert cold > 0
    model.fit(X, y)
    assert model.n_iter_ == 0
    near = clone(model).set_params(alpha=1.1e-2, warm_start=False).fit(X, y)
    model.set_params(alpha=1.1e-2).fit(X, y)
    np.testing.assert_allclose(model.coef_, near.coef_, atol=1e-3)
    model.fit(X, np.asarray(["a", "b", "c"])[y])
    assert model.classes_.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["dense", "csr", "soft labels", "sum", "group lasso", "newton", "no intercept", "mcp"])
def test_a_warm_start_where_nothing_changed_takes_no_iteration(dtype, kind):
    X, y = data(dtype=dtype)
    settings = {
        "sum": {"penalty": Sum([L1(1e-2), Nonnegative()]), "max_iter": 5000},
        "group lasso": {"penalty": GroupLasso(1e-2)},
        "newton": {"l1_ratio": 0.5, "solver": "proximal-newton"},
        "no intercept": {"fit_intercept": False},
        "mcp": {"penalty": MCP(1e-2)},
    }
    X = scipy.sparse.csr_array(X) if kind == "csr" else X
    y = scipy.special.softmax(np.random.default_rng(0).normal(size=(len(y), 3)), axis=1) if "soft" in kind else y
    model = SoftmaxRegression(1e-2, warm_start=True, tol=1e-3).set_params(**settings.get(kind, {})).fit(X, y)
    first = model.coef_
    assert model.n_iter_ > 0
    assert model.fit(X, y).n_iter_ == 0
    np.testing.assert_allclose(model.coef_, first, rtol=1e-5, atol=1e-6)
    assert model.coef_.dtype == model.intercept_.dtype == dtype


def soft(y, classes=3, seed=0):
    """Labels of which each has lost a part of its mass to the others."""
    away = np.random.default_rng(seed).dirichlet(np.ones(classes), size=len(y))
    return 0.7 * np.eye(classes)[y] + 0.3 * away


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 1.0, 1: 2.0, 2: 0.5}])
def test_probabilities_for_labels_are_rows_for_every_class(l1_ratio, class_weight):
    X, y = data()
    y = y * (np.arange(len(y)) % 3 > 0)  # unbalanced
    Y, weights = soft(y), np.random.default_rng(1).random(len(y))
    settings = {"alpha": 1e-2, "l1_ratio": l1_ratio, "tol": 1e-10, "max_iter": 20_000}
    ours = SoftmaxRegression(**settings, class_weight=class_weight).fit(X, Y, sample_weight=weights)
    mass = weights @ Y
    by_class = {None: np.ones(3), "balanced": mass.sum() / (3 * mass)}.get(
        class_weight if not isinstance(class_weight, dict) else None, np.ones(3)
    )
    by_class = np.array([1.0, 2.0, 0.5]) if isinstance(class_weight, dict) else by_class
    # a row's class weight is the mean of its classes'; each row becomes one row a class
    spread = ((weights * (Y @ by_class))[:, None] * Y).ravel()
    peer = SoftmaxRegression(**settings).fit(np.repeat(X, 3, axis=0), np.tile([0, 1, 2], len(y)), sample_weight=spread)
    np.testing.assert_allclose(ours.coef_, peer.coef_, atol=1e-5)
    assert ours.classes_.tolist() == [0, 1, 2]
    assert ours.status_ == "converged"
    assert ours.predict(X).dtype.kind == "i"


def test_hard_probabilities_are_labels():
    X, y = data()
    hard, rows = (SoftmaxRegression(1e-2, tol=1e-10).fit(X, each) for each in (y, np.eye(3, dtype=int)[y]))
    np.testing.assert_allclose(rows.coef_, hard.coef_, atol=1e-6)
    single = SoftmaxRegression(1e-2).fit(X.astype(np.float32), soft(y))
    assert single.coef_.dtype == np.float32


def test_rows_that_are_not_probabilities_are_refused():
    X, y = data()
    Y = soft(y)
    cases = [
        (2 * Y, "row 0 of y sums to 2 "),
        (Y - [[0.5, -0.5, 0.0]], "smallest entry of -"),
        (np.array([["a", "b"]] * len(y)), "holds no numbers"),
        (np.where(Y > 0.9, np.nan, Y), "NaN"),
        (Y[:-1], "inconsistent numbers of samples"),
        (np.eye(2)[np.zeros(len(y), int)], "leave one class only"),
    ]
    for labels, words in cases:
        with pytest.raises(InputError, match=words):
            SoftmaxRegression().fit(X, labels)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "int16", "float16", "bool", "float32", "float64"])
def test_every_kind_of_number_is_taken(dtype):
    X, y = load_digits(return_X_y=True)
    X = (X > 8) if dtype == "bool" else X
    model = SoftmaxRegression(1e-2, max_iter=3000).fit(X.astype(dtype), y)
    double = SoftmaxRegression(1e-2, max_iter=3000).fit(X.astype(np.float64), y)
    # numbers of one or two bytes stay as they are stored, and are computed with in float32
    single = dtype in ("float32", "float16", "uint8")
    assert model.coef_.dtype == (np.float32 if single else np.float64)
    np.testing.assert_allclose(model.coef_, double.coef_, atol=1e-2 if single else 1e-12)
    logits = model.decision_function(X.astype(dtype))
    assert logits.dtype == model.predict_proba(X.astype(dtype)).dtype == model.coef_.dtype
    assert model.predict_log_proba(X.astype(dtype)).dtype == model.coef_.dtype


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_are_known_by_their_names(library):
    frames = pytest.importorskip(library)
    X, y = data()
    names = [f"feature {number}" for number in range(8)]
    frame = frames.DataFrame(dict(zip(names, X.T, strict=True)))
    model = SoftmaxRegression(1e-2).fit(frame, y)
    assert model.feature_names_in_.tolist() == names
    np.testing.assert_allclose(model.predict_proba(frame), model.predict_proba(frame[names]))
    with pytest.raises(InputError, match="feature names"):
        model.predict(frame[names[::-1]])
    with pytest.raises(InputError, match="feature names"):
        model.predict(
            frame.rename({"feature 0": "other"}) if library == "polars" else frame.rename(columns={names[0]: "other"})
        )


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_single_precision_finds_the_same(l1_ratio):
    X, y = data()
    double = SoftmaxRegression(1e-2, l1_ratio, tol=1e-7, max_iter=20_000).fit(X, y)
    single = SoftmaxRegression(1e-2, l1_ratio, tol=1e-6, max_iter=20_000).fit(X.astype(np.float32), y)
    np.testing.assert_allclose(single.coef_, double.coef_, atol=2e-3)


SAME_BITS = """
import hashlib, sys, numba, numpy as np, torch, warnings
from gradus import SoftmaxRegression, SoftmaxRegressionCV
from gradus.penalties import GroupLasso
warnings.simplefilter("ignore")
torch.set_num_threads(int(sys.argv[1]))
random = np.random.default_rng(0)
X = random.normal(size=(9000, 300)).astype(np.float32) * (random.random((9000, 300)) < 0.3)
y = (X[:, :10] + random.gumbel(size=(9000, 10))).argmax(1)
for model in [
    SoftmaxRegression(1e-3, l1_ratio=1.0), SoftmaxRegression(1e-3, l1_ratio=1.0), SoftmaxRegression(1e-4),
    SoftmaxRegression(penalty=GroupLasso(2e-3)), SoftmaxRegressionCV(alphas=3, cv=2),
]:
    print(hashlib.sha256(model.fit(X, y).coef_.tobytes()).hexdigest(), torch.get_num_threads() == int(sys.argv[1]))
"""


def test_fits_give_the_same_bits_on_any_number_of_threads_and_the_first_is_like_the_second():
    outputs = []
    for count in ("1", "2"):
        environment = {**os.environ, "NUMBA_NUM_THREADS": count}
        command = [sys.executable, "-c", SAME_BITS, count]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        outputs.append(ran.stdout.splitlines())
    assert outputs[0] == outputs[1]
    assert outputs[0][0] == outputs[0][1]
    assert all(line.endswith("True") for line in outputs[0])


def test_the_data_is_not_changed_and_may_be_read_only():
    X, y = data(dtype=np.float32)
    weights = np.ones(len(y))
    before = X.copy()
    for array in (X, y, weights):
        array.flags.writeable = False
    SoftmaxRegression(1e-2).fit(X, y, sample_weight=weights).predict(X)
    assert np.array_equal(X, before)


def test_verbose_speaks_on_stderr_only(capsys):
    X, y = data()
    SoftmaxRegression(verbose=1).fit(X, y)
    out, err = capsys.readouterr()
    assert "fitting" in err
    assert not out
    SoftmaxRegression().fit(X, y)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("settings", [{}, {"solver": "lbfgs"}, {"l1_ratio": 1.0, "alpha": 1e-2}], ids=str)
def test_verbose_shows_the_gap_falling(settings, capsys, monkeypatch):
    X, y = data()
    monkeypatch.setattr(stderr, "PAUSE", 0.0)
    model = SoftmaxRegression(verbose=1, tol=1e-6, **settings).fit(X, y)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("fitting: ")]
    gaps = [float(re.search("gap (?:about )?([0-9.e+-]+)", line)[1]) for line in lines]
    assert len(lines) == model.n_iter_ + 1 > 3
    assert gaps[-1] == gaps[-2] == pytest.approx(model.relative_gap_, rel=0.1)
    assert "done" in lines[-1] and "about" not in lines[-1]
    assert gaps[0] > 1e2 * gaps[-1]


def test_hostile_scales_end_in_a_status():
    X, y = data()
    for scale in (1e-30, 1e12):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = SoftmaxRegression(max_iter=200).fit(scale * X, y)
        assert np.isfinite(model.coef_).all()
        assert np.isfinite(model.predict_proba(scale * X)).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"alpha": -1.0}, r"alpha is -1.0; expected a finite number >= 0"),
        ({"alpha": float("nan")}, "alpha is nan"),
        ({"alpha": "auto"}, "alpha is 'auto'"),
        ({"l1_ratio": 1.5}, r"l1_ratio is 1.5; expected a number in \[0, 1\]"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"tol": 0.0}, "tol is 0.0"),
        ({"max_iter": -1}, "max_iter is -1"),
        ({"max_iter": 2.5}, "max_iter is 2.5"),
        ({"solver": "newton_cg"}, r"solver is 'newton_cg' \(did you mean 'newton-cg'\?\); expected one of auto, lbfgs"),
        ({"solver": "lbfgs", "l1_ratio": 1.0}, "needs a differentiable penalty, and L1 is not"),
        ({"penalty": "l1"}, "penalty is 'l1'; expected None or an object"),
        ({"penalty": L1}, "expected None or an object"),
        ({"class_weight": "equal"}, "class_weight is 'equal'"),
        ({"class_weight": {0: -1.0}}, "class_weight of class 0 is -1.0"),
        ({"class_weight": {7: 1.0}}, "class_weight does not fit"),
    ],
    ids=str,
)
def test_settings_outside_their_range_are_refused(settings, words):
    X, y = data()
    with pytest.raises(InputError, match=words):
        SoftmaxRegression(**settings).fit(X, y)


def test_data_that_cannot_be_fitted_is_refused():
    X, y = data()
    bad = X.copy()
    bad[3, 2] = np.nan
    cases = [
        ((bad, y, None), "NaN"),
        ((X, np.zeros(len(y)), None), "one class only"),
        ((X, y[:-1], None), "inconsistent numbers of samples"),
        ((X[:0], y[:0], None), "minimum of 1"),
        ((X, y + 0.5, None), "continuous"),
        ((X, y, -np.ones(len(y))), "[Nn]egative"),
        ((X, y, np.zeros(len(y))), "weight"),
        ((X, y, (y == 0).astype(float)), "leave one class only"),
    ]
    for (features, labels, weights), words in cases:
        with pytest.raises(InputError, match=words):
            SoftmaxRegression().fit(features, labels, sample_weight=weights)
    with pytest.raises(NotFittedError):
        SoftmaxRegression().predict(X)
    with pytest.raises(InputError, match="expecting 8 features"):
        SoftmaxRegression(1e-2).fit(X, y).predict(X[:, :5])


def test_probabilities_of_extreme_logits_are_finite():
    X, y = data()
    model = SoftmaxRegression(1e-2).fit(X, y)
    far = 1e6 * X
    assert np.isfinite(model.predict_log_proba(far)).all()
    np.testing.assert_allclose(model.predict_proba(far).sum(axis=1), 1.0)
