"""Proximable functions: each has a value and a closed-form proximal operator; the convex ones a conjugate."""

from gradus.penalties.boxed_l1 import BoxedL1
from gradus.penalties.elastic_net import ElasticNet
from gradus.penalties.entropy import Entropy
from gradus.penalties.group_lasso import GroupLasso
from gradus.penalties.huber import Huber
from gradus.penalties.l0 import L0
from gradus.penalties.l1 import L1
from gradus.penalties.l2 import L2
from gradus.penalties.l_half import LHalf
from gradus.penalties.log_sum import LogSum
from gradus.penalties.masked import Masked
from gradus.penalties.mcp import MCP
from gradus.penalties.nonconvex import Nonconvex
from gradus.penalties.nonnegative_l1 import NonnegativeL1
from gradus.penalties.nuclear import Nuclear
from gradus.penalties.scad import SCAD
from gradus.penalties.smooth_masked import SmoothMasked
from gradus.penalties.soft_threshold import soft_threshold
from gradus.penalties.wright_omega import wright_omega
from gradus.penalties.zero import Zero

__all__ = [
    "L0",
    "L1",
    "L2",
    "MCP",
    "SCAD",
    "BoxedL1",
    "ElasticNet",
    "Entropy",
    "GroupLasso",
    "Huber",
    "LHalf",
    "LogSum",
    "Masked",
    "Nonconvex",
    "NonnegativeL1",
    "Nuclear",
    "SmoothMasked",
    "Zero",
    "soft_threshold",
    "wright_omega",
]
