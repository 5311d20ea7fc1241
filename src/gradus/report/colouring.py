"""What the points of a map are coloured by: classes that have names, or a number that has a scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradus.data import Column, Dataset

# as many different whole numbers are names, of clusters for instance; more are a quantity
MOST_NUMBERS_AS_NAMES = 20
MISSING = "(missing)"


@dataclass(frozen=True)
class Categories:
    """A class for every row.

    Attributes
    ----------
    title : what the classes are
    codes : (n,) int64 positions in ``names``
    names : of the classes
    """

    title: str
    codes: NDArray[np.int64]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Scale:
    """A number for every row.

    Attributes
    ----------
    title : what the numbers are
    values : (n,) float64, NaN where missing, finite or infinite elsewhere
    """

    title: str
    values: NDArray[np.float64]

    def limits(self) -> tuple[float, float]:
        """Return the least and the largest finite value, ends that differ."""
        finite = self.values[np.isfinite(self.values)]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        return (low, high) if high > low else (low - 0.5, high + 0.5)


def colouring_of(dataset: Dataset) -> Categories | Scale | None:
    """Return what colours a map of ``dataset``: the column it was asked to, else its labels, else nothing."""
    if dataset.color is not None:
        return colouring_by(dataset.color)
    if dataset.labels is not None:
        return Categories("Class", dataset.labels, dataset.class_names)
    return None


def colouring_by(column: Column) -> Categories | Scale:
    """Return the colouring by a column: text and few whole numbers are classes, other numbers a scale.

    Examples
    --------
    >>> from gradus.data import Column
    >>> colouring_by(Column("kind", np.array(["b", "a", ""]))).names
    ('a', 'b', '(missing)')
    >>> colouring_by(Column("cluster", np.array([1.0, 0.0, np.nan]))).names
    ('0', '1', '(missing)')
    >>> colouring_by(Column("mass", np.array([0.1, 2.0, 7.5]))).limits()
    (0.1, 7.5)
    """
    if not column.is_number:
        return _categories(column.name, column.values)
    there = column.values[~np.isnan(column.values)]
    distinct = np.unique(there)
    if len(distinct) <= MOST_NUMBERS_AS_NAMES and np.isfinite(distinct).all() and (distinct == np.rint(distinct)).all():
        missing = np.isnan(column.values)
        codes = np.where(missing, len(distinct), np.searchsorted(distinct, np.where(missing, 0, column.values)))
        names = tuple(f"{value:.0f}" for value in distinct) + ((MISSING,) if missing.any() else ())
        return Categories(column.name, codes.astype(np.int64), names)
    return Scale(column.name, column.values)


def _categories(title: str, values: NDArray[np.str_]) -> Categories:
    distinct, codes = np.unique(values, return_inverse=True)
    names = [str(name) for name in distinct]
    codes = codes.reshape(-1).astype(np.int64)
    if "" in names:  # it sorts first; missing ones come last
        codes = np.where(codes == 0, len(names) - 1, codes - 1)
        names = [*names[1:], MISSING]
    return Categories(title, codes, tuple(names))
