"""The regularisation path: which strength errs least on rows that were not learned from."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from gradus.core import progress
from gradus.estimators import SoftmaxRegression
from gradus.runs.model import Strength

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gradus.runs.config import FitConfig

# Half decades below the largest useful strength: 13 values span what linear probes need on pixels and embeddings alike.
_DECADES = np.arange(0.0, 6.5, 0.5)
# The path goes from strong to weak; after this many strengths without a better cross-entropy, weaker ones only overfit.
_PATIENCE = 3


class Rows(NamedTuple):
    """Features (n, d) and labels (n,) of some rows."""

    features: NDArray[np.floating]
    labels: NDArray[np.int64]


def largest_strength(rows: Rows, l1_ratio: float) -> float:
    """Return a strength at which next to nothing is learned.

    With an L1 part it is the smallest strength whose solution is W = 0, max |X' (pi - Y)| / (n l1_ratio); without one
    it is the total variance of the features, a bound on twice the curvature of the loss.
    """
    centred = rows.features - rows.features.mean(axis=0, dtype=np.float64).astype(rows.features.dtype)
    if l1_ratio == 0.0:
        return float(np.square(centred, dtype=np.float64).sum() / len(centred))
    onehot = np.eye(int(rows.labels.max()) + 1, dtype=centred.dtype)[rows.labels]
    return float(np.abs(centred.T @ onehot).max() / len(centred) / l1_ratio)


def regularisation_path(config: FitConfig, learn: Rows, validate: Rows) -> tuple[Strength, ...]:
    """Fit on ``learn`` at falling strengths, warm-started, and judge each fit on ``validate``."""
    largest = largest_strength(learn, config.l1_ratio)
    estimator = new_estimator(config, largest, warm_start=True)
    path: list[Strength] = []
    with progress.task("choosing alpha", total=len(_DECADES)) as task:
        for alpha in largest * 10.0**-_DECADES:
            estimator.set_params(alpha=float(alpha))
            path.append(_judged(estimator, learn, validate))
            task.advance(note=f"alpha {alpha:.2g}: {path[-1].error:.2%} wrong")
            lowest = min(range(len(path)), key=lambda index: path[index].cross_entropy)
            if len(path) - 1 - lowest >= _PATIENCE:
                break
    return tuple(path)


def best(path: Sequence[Strength], validation_rows: int) -> Strength:
    """Return the strength of lowest cross-entropy among those whose error cannot be told from the lowest.

    Cannot be told means within one standard error of it: on few rows the count of errors is too coarse to choose by,
    and the cross-entropy is not.
    """
    lowest = min(strength.error for strength in path)
    margin = math.sqrt(lowest * (1.0 - lowest) / validation_rows)
    eligible = [strength for strength in path if strength.error <= lowest + margin]
    return min(eligible, key=lambda strength: strength.cross_entropy)


def new_estimator(config: FitConfig, alpha: float, *, warm_start: bool = False) -> SoftmaxRegression:
    """Return the unfitted classifier that a run's settings describe."""
    return SoftmaxRegression(
        alpha=alpha,
        l1_ratio=config.l1_ratio,
        class_weight=config.class_weight,
        tol=config.tol,
        max_iter=config.max_iter,
        warm_start=warm_start,
    )


def fit_quietly(estimator: SoftmaxRegression, rows: Rows) -> SoftmaxRegression:
    """Fit ``estimator``; that it stopped early is told by its status, which the run records, not by a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(rows.features, rows.labels)


def certified_gap(estimator: SoftmaxRegression) -> float | None:
    """Return the relative duality gap of a fit; None where there is no dual (alpha 0)."""
    return None if math.isnan(estimator.dual_gap_) else float(estimator.relative_gap_)


def _judged(estimator: SoftmaxRegression, learn: Rows, validate: Rows) -> Strength:
    fit_quietly(estimator, learn)
    log_probabilities = estimator.predict_log_proba(validate.features)
    of_label = log_probabilities[np.arange(len(validate.labels)), validate.labels]
    wrong = log_probabilities.argmax(axis=1) != validate.labels
    return Strength(
        alpha=float(estimator.alpha),
        error=float(wrong.mean()),
        cross_entropy=float(-of_label.mean(dtype=np.float64)),
        relative_gap=certified_gap(estimator),
    )
