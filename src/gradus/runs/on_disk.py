"""A fit of data that stays in its file."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from gradus.core.mapped import chunks
from gradus.data import stratified_split
from gradus.estimators import SoftmaxRegression
from gradus.runs.strengths import Choice, Rows, fitted

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gradus.runs.config import FitConfig

# numbers of the rows on which "auto" chooses a strength
SAMPLE_NUMBERS = 67_108_864


def fitted_on_disk(config: FitConfig, data: Rows, train: NDArray[np.int64], checkpoint: Path) -> Choice:
    """Fit on the rows ``train`` of features in a file, which is read once in every pass.

    For "auto" the strength is chosen on a sample of these rows that fits into memory, and the classifier then fitted on
    all of them. The other rows are read too, and have no weight. Where the process is killed, ``checkpoint`` keeps how
    far it got.
    """
    choice = None
    if config.alpha == "auto":
        choice = fitted(config, _sample(data, train), seed=0)
        config = replace(config, alpha=float(choice.classifier.alpha))
    classifier = SoftmaxRegression(
        alpha=float(config.alpha),
        l1_ratio=config.l1_ratio,
        class_weight=config.class_weight,
        tol=config.tol,
        max_iter=config.max_iter,
        checkpoint=checkpoint,
    )
    weights = np.zeros(len(data.labels))
    weights[train] = 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(data.features, data.labels, sample_weight=weights)
    return Choice(classifier) if choice is None else choice._replace(classifier=classifier)


def _sample(data: Rows, train: NDArray[np.int64]) -> Rows:
    """Return some of the rows, drawn by class, in memory."""
    most = max(SAMPLE_NUMBERS // max(data.features.shape[1], 1), 1)
    if len(train) > most:
        train = train[stratified_split(data.labels[train], most / len(train), seed=0).test]
    features = np.empty((len(train), data.features.shape[1]), np.float32)
    for rows, chunk in chunks(data.features):
        first, last = np.searchsorted(train, (rows.start, rows.stop))
        features[first:last] = chunk[train[first:last] - rows.start]
    return Rows(features, data.labels[train])
