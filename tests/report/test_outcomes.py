"""Confusions and worst errors, against scikit-learn and plain sorting."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix as sklearn_confusion_matrix

from gradus.report import Predictions
from gradus.report.outcomes import confused_pairs, confusion_matrix, worst_errors


def drawn(seed: int, rows: int, classes: int) -> tuple[np.ndarray, Predictions]:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, rows)
    nothing = np.zeros(rows, np.int32)
    return labels, Predictions(
        generator.integers(0, classes, rows),
        generator.uniform(size=rows).astype(np.float32),
        nothing,
        nothing,
        generator.random(rows) < 0.7,
    )


cases = given(st.integers(0, 1000), st.integers(1, 200), st.integers(2, 9))


@settings(deadline=None, max_examples=40)
@cases
def test_matrix_equals_scikit_learns(seed: int, rows: int, classes: int) -> None:
    labels, predictions = drawn(seed, rows, classes)
    tested = predictions.is_test
    if not tested.any():
        return
    expected = sklearn_confusion_matrix(labels[tested], predictions.predicted[tested], labels=np.arange(classes))
    assert np.array_equal(confusion_matrix(labels, predictions, classes), expected)


@settings(deadline=None, max_examples=40)
@cases
def test_pairs_hold_every_wrong_test_row_once_by_falling_count(seed: int, rows: int, classes: int) -> None:
    labels, predictions = drawn(seed, rows, classes)
    pairs = confused_pairs(labels, predictions, classes * classes)
    counts = [len(pair.rows) for pair in pairs]
    assert counts == sorted(counts, reverse=True)
    listed = [int(row) for pair in pairs for row in pair.rows]
    wrong = np.flatnonzero(predictions.is_test & (labels != predictions.predicted))
    assert sorted(listed) == wrong.tolist()
    for pair in pairs:
        assert set(labels[pair.rows]) == {pair.label} and set(predictions.predicted[pair.rows]) == {pair.predicted}
        assert (np.diff(predictions.probability[pair.rows]) <= 0).all()


@settings(deadline=None, max_examples=40)
@cases
def test_worst_errors_are_the_most_probable_wrong_test_rows(seed: int, rows: int, classes: int) -> None:
    labels, predictions = drawn(seed, rows, classes)
    wrong = [
        row for row in range(rows) if predictions.is_test[row] and labels[row] != predictions.predicted[row]
    ]  # fmt: skip
    expected = sorted(wrong, key=lambda row: -predictions.probability[row])[:5]
    assert worst_errors(labels, predictions, 5).tolist() == expected
