"""Training rows and test rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradus.core.errors import InputError
from gradus.data.sampling import allotted, drawn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradus.data.dataset import Dataset


@dataclass(frozen=True)
class Split:
    """Two sets of rows that together are all of them.

    Attributes
    ----------
    train : sorted int64 positions
    test : sorted int64 positions
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]


def stratified_split(labels: NDArray[np.int64], fraction: float, seed: int) -> Split:
    """Split the rows so that every class keeps its share on both sides.

    A class with two rows or more has at least one on each side; a class with one row stays in ``train``. Within these
    bounds ``test`` has ``round(fraction * n)`` rows.

    Parameters
    ----------
    labels : (n,) int64, non-negative
    fraction : of the rows that go to ``test``, between 0 and 1
    seed : the same seed splits the same way

    Raises
    ------
    InputError : if ``fraction`` is not between 0 and 1

    Examples
    --------
    >>> split = stratified_split(np.array([0, 0, 0, 0, 1, 1]), 0.5, seed=0)
    >>> len(split.train), len(split.test)
    (3, 3)
    """
    if not 0.0 < fraction < 1.0:
        raise InputError(f"the fraction of rows to hold out is {fraction}; expected a number between 0 and 1, say 0.2")
    counts = np.bincount(labels).astype(np.int64)
    least = np.minimum(counts // 2, 1)
    take = allotted(counts, round(fraction * len(labels)), least, np.maximum(counts - 1, 0))
    test = drawn(labels, take, seed)
    is_test = np.zeros(len(labels), dtype=bool)
    is_test[test] = True
    return Split(np.flatnonzero(~is_test).astype(np.int64), test)


def split_rows(dataset: Dataset, test_fraction: float, seed: int) -> Split:
    """Return the split that came with the data, or a stratified one where none came.

    Parameters
    ----------
    dataset : its ``is_test`` is used as it stands, and then ``test_fraction`` and ``seed`` play no part
    test_fraction : of the rows that are held out, between 0 and 1
    seed : of the stratified split

    Raises
    ------
    InputError : if there is no given split and there are no labels, or ``test_fraction`` is not between 0 and 1
    """
    if dataset.is_test is not None:
        return Split(
            np.flatnonzero(~dataset.is_test).astype(np.int64), np.flatnonzero(dataset.is_test).astype(np.int64)
        )
    if dataset.labels is None:
        raise InputError(
            f"{dataset.name} has no labels, and a stratified split needs them: give labels or a test split"
        )
    return stratified_split(dataset.labels, test_fraction, seed)
