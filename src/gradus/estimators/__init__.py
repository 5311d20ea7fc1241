"""The scikit-learn faces."""

from gradus.estimators.softmax_regression import SoftmaxRegression
from gradus.estimators.softmax_regression_cv import SoftmaxRegressionCV
from gradus.estimators.tsne import TSNE

__all__ = ["TSNE", "SoftmaxRegression", "SoftmaxRegressionCV"]
