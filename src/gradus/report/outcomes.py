"""What the predictions got wrong: the confusion matrix, the pairs most confused, the worst errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradus.report.content import Predictions


@dataclass(frozen=True)
class ConfusedPair:
    """Test rows of one class that were given another.

    Attributes
    ----------
    label, predicted : positions of the classes
    rows : dataset positions of the rows, highest probability first
    """

    label: int
    predicted: int
    rows: NDArray[np.int64]


def confusion_matrix(labels: NDArray[np.int64], predictions: Predictions, classes: int) -> NDArray[np.int64]:
    """Return (K, K) counts of the test rows: a row per label, a column per predicted class. Costs O(n + K^2)."""
    tested = predictions.is_test
    cells = labels[tested] * classes + predictions.predicted[tested]
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def worst_errors(labels: NDArray[np.int64], predictions: Predictions, most: int) -> NDArray[np.int64]:
    """Return positions of at most ``most`` test rows given a wrong class, the most probable first."""
    wrong = np.flatnonzero(predictions.is_test & (predictions.predicted != labels))
    order = np.argsort(-predictions.probability[wrong], kind="stable")
    return wrong[order[:most]]


def confused_pairs(labels: NDArray[np.int64], predictions: Predictions, most: int) -> list[ConfusedPair]:
    """Return at most ``most`` pairs (label, predicted) by falling count of test rows. Costs O(n log n), no K^2.

    Examples
    --------
    >>> from gradus.report.content import Predictions
    >>> nothing = np.zeros(4, np.int32)
    >>> given = Predictions(np.array([1, 1, 0, 2]), np.ones(4, np.float32), nothing, nothing, np.ones(4, bool))
    >>> [(pair.label, pair.predicted, len(pair.rows)) for pair in confused_pairs(np.array([0, 0, 2, 2]), given, 5)]
    [(0, 1, 2), (2, 0, 1)]
    """
    wrong = worst_errors(labels, predictions, len(labels))
    pairs = np.stack([labels[wrong], predictions.predicted[wrong]], 1)
    distinct, which, counts = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    which = which.reshape(-1)
    return [
        ConfusedPair(int(distinct[pair, 0]), int(distinct[pair, 1]), wrong[which == pair])
        for pair in np.argsort(-counts, kind="stable")[:most]
    ]
