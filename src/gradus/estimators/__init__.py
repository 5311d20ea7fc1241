"""The scikit-learn faces."""

from gradus.estimators.tsne import TSNE

__all__ = ["TSNE"]
