"""Top-k error: ranks, intervals, paired comparison."""

from gradus.metrics.accumulator import TopK
from gradus.metrics.bootstrap import Bootstrap, ClusterBootstrap
from gradus.metrics.comparison import Comparison, compare_top_k
from gradus.metrics.intervals import ClopperPearson, Interval, Wilson
from gradus.metrics.policy import AbsentClasses, NanScores, Policy, Rows, UnknownLabels
from gradus.metrics.ranks import RankCounts, rank_counts
from gradus.metrics.result import PerClass, TopKError, TopKErrors
from gradus.metrics.top_k import top_k_errors, top_k_errors_from_counts

__all__ = [
    "AbsentClasses",
    "Bootstrap",
    "ClopperPearson",
    "ClusterBootstrap",
    "Comparison",
    "Interval",
    "NanScores",
    "PerClass",
    "Policy",
    "RankCounts",
    "Rows",
    "TopK",
    "TopKError",
    "TopKErrors",
    "UnknownLabels",
    "Wilson",
    "compare_top_k",
    "rank_counts",
    "top_k_errors",
    "top_k_errors_from_counts",
]
