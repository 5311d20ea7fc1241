"""Proximable functions: each has a value and a closed-form proximal operator; the convex ones a conjugate."""

from gradus.penalties.affine_set import AffineSet
from gradus.penalties.box import Box
from gradus.penalties.boxed_l1 import BoxedL1
from gradus.penalties.composed import Composed
from gradus.penalties.conjugate_of import ConjugateOf
from gradus.penalties.diagonal_metric import norm_prox_in_metric
from gradus.penalties.elastic_net import ElasticNet
from gradus.penalties.entropy import Entropy
from gradus.penalties.group_lasso import GroupLasso
from gradus.penalties.grouping import Groups
from gradus.penalties.half_space import HalfSpace
from gradus.penalties.huber import Huber
from gradus.penalties.index_group_lasso import IndexGroupLasso
from gradus.penalties.l0 import L0
from gradus.penalties.l1 import L1
from gradus.penalties.l1_ball import L1Ball
from gradus.penalties.l2 import L2
from gradus.penalties.l2_ball import L2Ball
from gradus.penalties.l_half import LHalf
from gradus.penalties.linear_maps import Differences, FirstRows, GridDifferences, MatrixMap
from gradus.penalties.linf import LInf
from gradus.penalties.linf_ball import LInfBall
from gradus.penalties.log_sum import LogSum
from gradus.penalties.masked import Masked
from gradus.penalties.mcp import MCP
from gradus.penalties.moreau_envelope import MoreauEnvelope
from gradus.penalties.nonconvex import Nonconvex
from gradus.penalties.nonnegative import Nonnegative
from gradus.penalties.nonnegative_group_lasso import NonnegativeGroupLasso
from gradus.penalties.nonnegative_l1 import NonnegativeL1
from gradus.penalties.nuclear import Nuclear
from gradus.penalties.over_rows import over_columns, over_rows
from gradus.penalties.rank import Rank
from gradus.penalties.rank_at_most import RankAtMost
from gradus.penalties.rotated import rotated
from gradus.penalties.row_wise import RowWise
from gradus.penalties.rows_at_most import RowsAtMost
from gradus.penalties.scad import SCAD
from gradus.penalties.scaled import scaled
from gradus.penalties.second_order_cone import SecondOrderCone
from gradus.penalties.semidefinite_cone import SemidefiniteCone
from gradus.penalties.simplex import Simplex
from gradus.penalties.slope import Slope
from gradus.penalties.smooth_masked import SmoothMasked
from gradus.penalties.soft_threshold import soft_threshold
from gradus.penalties.sparse_group_lasso import SparseGroupLasso
from gradus.penalties.spectral_ball import SpectralBall
from gradus.penalties.sum_of_penalties import Sum
from gradus.penalties.total_variation import TotalVariation
from gradus.penalties.translated import translated
from gradus.penalties.transposed import transposed
from gradus.penalties.weighted_group_lasso import WeightedGroupLasso
from gradus.penalties.wright_omega import wright_omega
from gradus.penalties.zero import Zero

__all__ = [
    "L0",
    "L1",
    "L2",
    "MCP",
    "SCAD",
    "AffineSet",
    "Box",
    "BoxedL1",
    "Composed",
    "ConjugateOf",
    "Differences",
    "ElasticNet",
    "Entropy",
    "FirstRows",
    "GridDifferences",
    "GroupLasso",
    "Groups",
    "HalfSpace",
    "Huber",
    "IndexGroupLasso",
    "L1Ball",
    "L2Ball",
    "LHalf",
    "LInf",
    "LInfBall",
    "LogSum",
    "Masked",
    "MatrixMap",
    "MoreauEnvelope",
    "Nonconvex",
    "Nonnegative",
    "NonnegativeGroupLasso",
    "NonnegativeL1",
    "Nuclear",
    "Rank",
    "RankAtMost",
    "RowWise",
    "RowsAtMost",
    "SecondOrderCone",
    "SemidefiniteCone",
    "Simplex",
    "Slope",
    "SmoothMasked",
    "SparseGroupLasso",
    "SpectralBall",
    "Sum",
    "TotalVariation",
    "WeightedGroupLasso",
    "Zero",
    "norm_prox_in_metric",
    "over_columns",
    "over_rows",
    "rotated",
    "scaled",
    "soft_threshold",
    "translated",
    "transposed",
    "wright_omega",
]
