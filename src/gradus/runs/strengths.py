"""Which strength errs least on rows that were not learned from, and the classifier at that strength."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, NamedTuple

from sklearn.exceptions import ConvergenceWarning

from gradus.data import stratified_split
from gradus.estimators import SoftmaxRegression, SoftmaxRegressionCV
from gradus.estimators.selection import OneStandardError
from gradus.runs.model import Strength

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from gradus.estimators.path_results import PathResults
    from gradus.runs.config import FitConfig

# The path goes from strong to weak; after so many of its six decades without a better cross-entropy, weaker strengths
# only overfit.
_DECADES, _DECADES_IN_VAIN = 6.0, 1.5


class Rows(NamedTuple):
    """Features (n, d) and labels (n,) of some rows."""

    features: NDArray[np.floating]
    labels: NDArray[np.int64]


class Choice(NamedTuple):
    """The fitted classifier, and how its strength was chosen.

    Attributes
    ----------
    classifier : fitted on all rows
    path : every strength tried, strongest first; empty where the strength was given
    validation_rows : how many of the rows judged the path
    one_standard_error : the strongest alpha whose error is within one standard error of the lowest; None without a path
    seconds : of each fit of the path
    """

    classifier: SoftmaxRegression
    path: tuple[Strength, ...] = ()
    validation_rows: int = 0
    one_standard_error: float | None = None
    seconds: tuple[float, ...] = ()


def fitted(config: FitConfig, train: Rows, seed: int, checkpoint: Path | None = None) -> Choice:
    """Fit on ``train``, at the strength that ``config`` gives or, for "auto", at the best on a part of the rows.

    Where the strength is given, ``checkpoint`` keeps how far a fit got that takes long.

    That a fit stopped early is told by its status, which the run records, not by a warning.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        if config.alpha == "auto":
            return _chosen(config, train, seed)
        classifier = SoftmaxRegression(
            alpha=config.alpha,
            l1_ratio=config.l1_ratio,
            class_weight=config.class_weight,
            tol=config.tol,
            max_iter=config.max_iter,
            checkpoint=checkpoint,
        )
        return Choice(classifier.fit(train.features, train.labels))


def certified_gap(classifier: SoftmaxRegression) -> float | None:
    """Return the relative duality gap of a fit; None where there is no dual (alpha 0)."""
    return None if math.isnan(classifier.dual_gap_) else float(classifier.relative_gap_)


def _chosen(config: FitConfig, train: Rows, seed: int) -> Choice:
    part = stratified_split(train.labels, config.validation_fraction, seed)
    search = SoftmaxRegressionCV(
        alphas=config.alphas,
        l1_ratio=config.l1_ratio,
        cv=[(part.train, part.test)],
        selection="likeliest_of_equals",
        patience=_patience(config.alphas),
        class_weight=config.class_weight,
        tol=config.tol,
        max_iter=config.max_iter,
    )
    search.fit(train.features, train.labels)
    results = search.results_
    # the path is scored by its error, and so the rule of one standard error is about errors
    strongest = float(results.alphas[OneStandardError().index(results)])
    seconds = tuple(round(float(each), 4) for each in results.seconds[0])
    return Choice(search.classifier_, _strengths(results), len(part.test), strongest, seconds)


def _strengths(results: PathResults) -> tuple[Strength, ...]:
    low, high = (limits[0].tolist() for limits in results.error_interval())
    measured = (results.alphas, results.error[0], results.cross_entropy[0], results.relative_gap[0])
    columns = [*(column.tolist() for column in measured), low, high, results.iterations[0].tolist()]
    return tuple(Strength(*strength) for strength in zip(*columns, strict=True))


def _patience(alphas: int | str) -> int | None:
    """Return after how many strengths in vain a path ends; a preset is what its name says, whole."""
    if isinstance(alphas, str):
        return None
    return max(1, math.ceil(_DECADES_IN_VAIN / _DECADES * (alphas - 1)))
