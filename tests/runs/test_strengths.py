"""How a run chooses its strength: on a part of the training rows, the same way every time."""

import numpy as np
import pytest
import scipy.stats
from sklearn.datasets import load_digits

from gradus.core.errors import InputError
from gradus.data import stratified_split
from gradus.estimators import SoftmaxRegression
from gradus.runs.config import FitConfig, RunConfig
from gradus.runs.strengths import Rows, certified_gap, fitted


def rows(count=500):
    X, y = load_digits(return_X_y=True)
    return Rows((X[:count] / 16).astype(np.float32), y[:count])


def test_the_rule_of_choice_on_the_validation_rows():
    train = rows()
    choice = fitted(FitConfig(), train, seed=3)
    part = stratified_split(train.labels, 0.2, 3)
    assert choice.validation_rows == len(part.test) == 100
    lowest = min(strength.error for strength in choice.path)
    margin = np.sqrt(lowest * (1 - lowest) / 100)
    eligible = [strength for strength in choice.path if strength.error <= lowest + margin]
    best = min(eligible, key=lambda strength: strength.cross_entropy)
    assert choice.classifier.alpha == best.alpha
    learned = SoftmaxRegression(best.alpha).fit(train.features[part.train], train.labels[part.train])
    error = 1 - learned.score(train.features[part.test], train.labels[part.test])
    assert best.error == pytest.approx(error, abs=0.02)
    assert all(strength.relative_gap <= 1e-4 for strength in choice.path)


def test_intervals_times_and_the_strongest_of_equals_come_along():
    train = rows()
    choice = fitted(FitConfig(alphas=9), train, seed=3)
    errors = np.array([strength.error for strength in choice.path])
    lowest = errors.min()
    within = errors <= lowest + np.sqrt(lowest * (1 - lowest) / choice.validation_rows)
    assert choice.one_standard_error == choice.path[int(np.argmax(within))].alpha
    assert choice.one_standard_error >= choice.classifier.alpha
    assert len(choice.seconds) == len(choice.path)
    assert all(seconds > 0 for seconds in choice.seconds)
    for strength in choice.path:
        wrong = round(strength.error * choice.validation_rows)
        interval = scipy.stats.binomtest(wrong, choice.validation_rows).proportion_ci(method="wilson")
        assert (strength.low, strength.high) == pytest.approx((interval.low, interval.high))


def test_the_classifier_is_that_of_all_rows():
    train = rows()
    choice = fitted(FitConfig(tol=1e-7), train, seed=0)
    alone = SoftmaxRegression(choice.classifier.alpha, tol=1e-7).fit(train.features, train.labels)
    assert choice.classifier.objective_ == pytest.approx(alone.objective_, rel=1e-6)
    assert certified_gap(choice.classifier) <= 1e-7


def test_a_path_ends_when_weaker_strengths_only_overfit():
    noise = Rows(rows().features, np.random.default_rng(0).integers(0, 3, 500))
    short, whole = (fitted(FitConfig(alphas=alphas), noise, seed=0).path for alphas in (13, "dinov2"))
    entropies = [strength.cross_entropy for strength in short]
    assert len(short) == int(np.argmin(entropies)) + 4 < 13
    assert len(whole) == 45


def test_a_given_strength_is_not_searched_for():
    choice = fitted(FitConfig(alpha=0.01), rows(), seed=0)
    assert choice.path == ()
    assert choice.validation_rows == 0
    assert choice.classifier.alpha == 0.01


@pytest.mark.parametrize("alphas", [1, 0, "dino"])
def test_wrong_numbers_of_strengths_are_named(alphas):
    with pytest.raises(InputError, match=f"--alphas is {alphas}: give a number"):
        RunConfig("digits", fit=FitConfig(alphas=alphas))
