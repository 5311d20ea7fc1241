"""Where each row's label stands among its scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from gradus.core.errors import InputError
from gradus.kernels.rank_count import NAN_SCORE, UNKNOWN_LABEL, rank_count
from gradus.metrics.policy import STRICT, NanScores, Policy, UnknownLabels
from gradus.metrics.reading import listed, read_labels, read_scores, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEFT_OUT = -1
"""``greater`` of a row that ``UnknownLabels.DROP`` leaves out."""


class RankCounts(NamedTuple):
    """How many classes are scored above each row's label, and how many others equally.

    Attributes
    ----------
    greater : (n,) int32; K where the policy counts the row as a miss for every k, ``LEFT_OUT`` (-1) where it drops it
    equal : (n,) int32; 0 in those two cases
    """

    greater: NDArray[np.int32]
    equal: NDArray[np.int32]


class RankedRows(NamedTuple):
    """Rank counts with the labels' codes (``n_classes`` where a label is none of the classes)."""

    codes: NDArray[np.int64]
    counts: RankCounts
    n_classes: int


def rank_counts(y_true: Any, scores: Any, *, policy: Policy = STRICT) -> RankCounts:
    """Count, in every row, the scores above the label's and the other scores equal to it.

    Parameters
    ----------
    y_true : (n,) labels: columns of ``scores`` (or names, with ``Policy(classes=...)``); torch, NumPy or a sequence
    scores : (n, K) real numbers, the greater the likelier; logits, probabilities or any other increasing function of
        them. float16, bfloat16, float32 or float64 in C or Fortran order are read in place, on their own device
    policy : what to do with NaN scores and with labels outside the classes

    Raises
    ------
    InputError : if shapes or types are others than these, or a row is one that ``policy`` refuses

    Notes
    -----
    One pass over ``scores``, no sort; O(n K).

    Examples
    --------
    >>> rank_counts([2, 1], [[0.1, 0.7, 0.2], [0.5, 0.5, 0.0]])
    RankCounts(greater=array([1, 0], dtype=int32), equal=array([0, 1], dtype=int32))
    """
    return ranked_rows(y_true, scores, policy).counts


def ranked_rows(y_true: Any, scores: Any, policy: Policy) -> RankedRows:
    """Return what ``rank_counts`` counts, with the codes of the labels."""
    matrix = read_scores(scores)
    n_classes = matrix.shape[1]
    labels = rows_of(y_true).labels
    codes = read_labels(labels, policy.classes, n_classes)
    if len(codes) != len(matrix):
        raise InputError(f"there are {len(codes)} labels for {len(matrix)} rows of scores: give one for each row")
    counted = rank_count(matrix, torch.from_numpy(codes).to(matrix.device))
    greater, equal = (count.cpu().numpy() for count in counted)
    if len(greater) and int(greater.min()) < 0:
        _apply(policy, labels, RankedRows(codes, RankCounts(greater, equal), n_classes))
        codes = np.where((codes >= 0) & (codes < n_classes), codes, n_classes)
    return RankedRows(codes, RankCounts(greater, equal), n_classes)


def _apply(policy: Policy, labels: Any, ranked: RankedRows) -> None:
    """Replace the kernel's flags in ``ranked`` by what ``policy`` makes of them, or raise."""
    greater, n_classes = ranked.counts.greater, ranked.n_classes
    unknown, nan = np.flatnonzero(greater == UNKNOWN_LABEL), np.flatnonzero(greater == NAN_SCORE)
    if unknown.size and policy.unknown_labels is UnknownLabels.ERROR:
        known = f"0 to {n_classes - 1}" if policy.classes is None else "those of Policy.classes"
        raise InputError(
            f"label {listed(labels)[unknown[0]]!r} of row {unknown[0]} is none of the scores' classes ({known}; "
            f"{unknown.size} such rows): correct it, or give Policy(unknown_labels=UnknownLabels.MISS or DROP)"
        )
    if nan.size and policy.nan_scores is NanScores.ERROR:
        raise InputError(
            f"the scores of row {nan[0]} hold a NaN ({nan.size} such rows): correct them, or count those rows as "
            "misses with Policy(nan_scores=NanScores.MISS)"
        )
    greater[nan] = n_classes
    greater[unknown] = n_classes if policy.unknown_labels is UnknownLabels.MISS else LEFT_OUT
