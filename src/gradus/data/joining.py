"""Training rows and test rows from two places -> one source with a given split."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradus.core.errors import InputError
from gradus.data.labels import concatenated
from gradus.data.source import Content, Source

if TYPE_CHECKING:
    from numpy.typing import NDArray


def joined(train: Source, test: Source) -> Source:
    """Return the rows of ``train`` and then those of ``test`` as the given test split.

    Names of rows that occur on both sides get "train/" and "test/" before them.

    Raises
    ------
    InputError : if ``test`` has a class that ``train`` lacks, or, once read, other features
    """
    is_test = np.repeat([False, True], [train.rows, test.rows])
    return replace(stacked(train, test), row_ids=_names(train, test), is_test=is_test)


def stacked(first: Source, second: Source) -> Source:
    """Return the rows of ``first`` and then those of ``second``, named by position; labels stay where both have them.

    Raises
    ------
    InputError : if ``second`` has a class that ``first`` lacks, or, once read, other features
    """

    def load(rows: NDArray[np.int64]) -> Content:
        before = first.load(rows[rows < first.rows])
        after = second.load(rows[rows >= first.rows] - first.rows)
        return _both(before, after, second.where)

    labels = None
    if first.labels is not None and second.labels is not None:
        labels = concatenated(first.labels, second.labels, second.where)
    return replace(
        first,
        rows=first.rows + second.rows,
        load=load,
        labels=labels,
        color=None if first.color is None or second.color is None else first.color.followed_by(second.color),
        row_ids=None,
        notes=(*first.notes, *second.notes),
    )


def _names(train: Source, test: Source) -> list[str] | None:
    if train.row_ids is None and test.row_ids is None:
        return None
    first, second = list(train.names_of_rows()), list(test.names_of_rows())
    if set(first).isdisjoint(second):
        return first + second
    return [f"train/{name}" for name in first] + [f"test/{name}" for name in second]


def _both(first: Content, second: Content, where: str) -> Content:
    first, second = _with_channels_of(first, second), _with_channels_of(second, first)
    pictures = [part.images.shape[1:3] for part in (first, second) if part.images is not None and len(part.images)]
    if len(set(pictures)) > 1:
        raise InputError(
            f"{where}: the images are {pictures[1][0]}x{pictures[1][1]} pixels (height x width) and the training "
            f"images {pictures[0][0]}x{pictures[0][1]}; expected one size: give size (--size HxW) to resize them"
        )
    given, expected = second.features.shape[1], first.features.shape[1]
    if given != expected:
        raise InputError(
            f"{where}: the rows have {given} features and the training rows {expected}; "
            "expected the same: make both from the same columns"
        )
    if first.feature_names != second.feature_names:
        raise InputError(
            f"{where}: the rows have other feature columns, or another order of them, than the training rows; "
            "expected the same: make both from the same columns"
        )
    kept = [np.ones(len(part.features), dtype=bool) if part.kept is None else part.kept for part in (first, second)]
    images = [part.images for part in (first, second) if part.images is not None]
    return Content(
        features=np.concatenate([first.features, second.features]),
        images=np.concatenate(images) if len(images) == 2 else None,
        kept=np.concatenate(kept),
        feature_names=first.feature_names,
        notes=(*first.notes, *second.notes),
    )


def _with_channels_of(content: Content, other: Content) -> Content:
    """Return grey ``content`` with its value in three channels where ``other`` is in colour."""
    if content.images is None or other.images is None or content.images.shape[3] == other.images.shape[3]:
        return content
    if content.images.shape[3] != 1:
        return content
    features = np.repeat(content.features, 3, axis=1)  # a pixel's channels are neighbours
    return replace(content, features=features, images=np.repeat(content.images, 3, axis=3))
