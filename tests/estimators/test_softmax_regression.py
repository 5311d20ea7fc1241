from __future__ import annotations

from sklearn.utils.estimator_checks import parametrize_with_checks

from gradus.estimators import SoftmaxRegression


@parametrize_with_checks([SoftmaxRegression()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)
