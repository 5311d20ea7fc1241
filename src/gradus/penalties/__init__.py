"""Proximable functions: each has a value and a closed-form proximal operator; the convex ones a conjugate."""

from gradus.penalties.elastic_net import ElasticNet
from gradus.penalties.group_lasso import GroupLasso
from gradus.penalties.l1 import L1
from gradus.penalties.l2 import L2
from gradus.penalties.masked import Masked
from gradus.penalties.nuclear import Nuclear
from gradus.penalties.smooth_masked import SmoothMasked
from gradus.penalties.soft_threshold import soft_threshold
from gradus.penalties.zero import Zero

__all__ = ["L1", "L2", "ElasticNet", "GroupLasso", "Masked", "Nuclear", "SmoothMasked", "Zero", "soft_threshold"]
