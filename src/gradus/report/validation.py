"""Do the parts of a report belong together? Asked once, before anything is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from gradus.data import Dataset
    from gradus.report.content import Map, Predictions, ReportContent


def validate_content(content: ReportContent) -> None:
    """Check that every part has one entry per row and every code a name.

    Raises
    ------
    InputError : naming the part, its shape, and the shape expected
    """
    rows = len(content.dataset)
    if rows == 0:
        raise InputError("A report needs at least one row, but the dataset is empty.")
    validate_dataset(content.dataset)
    if content.map is not None:
        validate_map(content.dataset, content.map)
    if content.predictions is not None:
        _validate_predictions(content.dataset, content.predictions)
    if content.weights is not None:
        expected = (len(content.dataset.class_names), content.dataset.features.shape[1])
        _expect_shape("weights", content.weights.shape, expected)


def validate_map(dataset: Dataset, drawn: Map) -> None:
    """Check that a map has one finite position per row of the dataset; raises InputError."""
    _expect_shape("map.positions", drawn.positions.shape, (len(dataset), 2))
    if not np.isfinite(drawn.positions).all():
        raise InputError("map.positions holds NaN or infinity; expected a finite position for every row.")


def validate_dataset(dataset: Dataset) -> None:
    """Check the parts of a dataset that a report draws; raises InputError."""
    rows = len(dataset)
    _expect_shape("dataset.row_ids", dataset.row_ids.shape, (rows,))
    if dataset.labels is not None:
        _expect_shape("dataset.labels", dataset.labels.shape, (rows,))
        _expect_codes("dataset.labels", dataset.labels, len(dataset.class_names))
    if dataset.images is not None and (
        dataset.images.shape[:1] != (rows,) or dataset.images.shape[3:] not in {(1,), (3,)}
    ):
        raise InputError(
            f"dataset.images has shape {dataset.images.shape}; expected ({rows}, height, width, 1 or 3 channels)."
        )


def _validate_predictions(dataset: Dataset, predictions: Predictions) -> None:
    for name in ("predicted", "probability", "greater", "equal", "is_test"):
        _expect_shape(f"predictions.{name}", getattr(predictions, name).shape, (len(dataset),))
    _expect_codes("predictions.predicted", predictions.predicted, len(dataset.class_names))


def _expect_shape(name: str, given: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if given != expected:
        raise InputError(f"{name} has shape {given}; expected {expected}, one entry per row of the dataset.")


def _expect_codes(name: str, codes: np.ndarray, classes: int) -> None:
    if codes.size and (codes.min() < 0 or codes.max() >= classes):
        raise InputError(f"{name} holds codes from {codes.min()} to {codes.max()}; expected 0 to {classes - 1}.")
