"""Smooth functions: losses per sample, and the linear model that binds them to data."""

from gradus.losses.certificate import DualityGap
from gradus.losses.column_access import column_access
from gradus.losses.column_model import ColumnModel
from gradus.losses.cross_entropy import CrossEntropy
from gradus.losses.expanded_model import ExpandedModel
from gradus.losses.features import DenseFeatures, Features
from gradus.losses.huber import HuberLoss
from gradus.losses.linear_model import LinearModel
from gradus.losses.logistic import Logistic
from gradus.losses.mapped_features import MappedFeatures
from gradus.losses.poisson import Poisson
from gradus.losses.preconditioner import CholeskyPreconditioner, DiagonalPreconditioner
from gradus.losses.sample_loss import BoundedCurvature, SampleLoss
from gradus.losses.sparse_features import SparseFeatures
from gradus.losses.sparse_gap import SparseGap
from gradus.losses.squared import Squared

__all__ = [
    "BoundedCurvature",
    "CholeskyPreconditioner",
    "ColumnModel",
    "CrossEntropy",
    "DenseFeatures",
    "DiagonalPreconditioner",
    "DualityGap",
    "ExpandedModel",
    "Features",
    "HuberLoss",
    "LinearModel",
    "Logistic",
    "MappedFeatures",
    "Poisson",
    "SampleLoss",
    "SparseFeatures",
    "SparseGap",
    "Squared",
    "column_access",
]
