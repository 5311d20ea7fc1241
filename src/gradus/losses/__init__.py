"""Smooth functions: losses per sample, and the linear model that binds them to data."""

from gradus.losses.certificate import DualityGap
from gradus.losses.cross_entropy import CrossEntropy
from gradus.losses.features import DenseFeatures, Features, SparseFeatures
from gradus.losses.linear_model import LinearModel
from gradus.losses.preconditioner import CholeskyPreconditioner, DiagonalPreconditioner
from gradus.losses.sample_loss import SampleLoss
from gradus.losses.squared import Squared

__all__ = [
    "CholeskyPreconditioner",
    "CrossEntropy",
    "DenseFeatures",
    "DiagonalPreconditioner",
    "DualityGap",
    "Features",
    "LinearModel",
    "SampleLoss",
    "SparseFeatures",
    "Squared",
]
