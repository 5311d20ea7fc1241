"""The scikit-learn faces."""

from gradus.estimators.convnet_classifier import ConvNetClassifier
from gradus.estimators.softmax_regression import SoftmaxRegression
from gradus.estimators.softmax_regression_cv import SoftmaxRegressionCV
from gradus.estimators.tsne import TSNE

__all__ = ["TSNE", "ConvNetClassifier", "SoftmaxRegression", "SoftmaxRegressionCV"]
