"""Errors from a table of ranks.

With g classes scored above the label and e others equal to it, a row is a miss for k guesses

    optimistically   iff g >= k                       (the label wins every tie)
    pessimistically  iff g + e >= k                   (the label loses every tie)
    expected         1 - clip((k - g) / (e + 1), 0, 1)   (ties are broken at random, all orders equally likely)

docs/derivations/top-k.md derives the third.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gradus.metrics.table import RankTable

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rates:
    """One error in its three readings; arrays of one shape.

    Attributes
    ----------
    expected : under random tie-breaking
    optimistic : the label wins every tie
    pessimistic : the label loses every tie
    """

    expected: Floats
    optimistic: Floats
    pessimistic: Floats

    def map(self, function: Callable[[Floats], Floats]) -> Rates:
        """Return the rates with ``function`` applied to each reading, once where they are the same array."""
        expected = function(self.expected)
        if self.optimistic is self.expected:
            return Rates(expected, expected, expected)
        return Rates(expected, function(self.optimistic), function(self.pessimistic))


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums over the rows of each class; class K holds the rows whose label is none of the classes.

    Attributes
    ----------
    misses : (K + 1, len(k)) weighted misses
    mass : (K + 1,) sum of the weights
    square : (K + 1,) sum of their squares
    rows : (K + 1,) rows
    tied : weight of the rows whose label's score is tied
    """

    misses: Rates
    mass: Floats
    square: Floats
    rows: NDArray[np.int64]
    tied: float

    @cached_property
    def overall(self) -> Rates:
        """Return the errors of all rows, (len(k),)."""
        return self.misses.map(lambda misses: misses.sum(axis=0) / self.mass.sum())

    @cached_property
    def per_class(self) -> Rates:
        """Return the errors of each class, (K, len(k)); NaN where a class has no rows."""
        mass = np.where(self.mass > 0, self.mass, np.nan)[:-1, None]
        return self.misses.map(lambda misses: misses[:-1] / mass)

    @cached_property
    def macro(self) -> Rates:
        """Return the mean of the errors of the classes that are present, (len(k),); NaN where none is."""
        present = self.mass[:-1] > 0
        if not present.any():
            return self.misses.map(lambda misses: np.full(misses.shape[1], np.nan))
        return self.per_class.map(lambda errors: errors[present].mean(axis=0))


def miss(greater: NDArray[Any], equal: NDArray[Any], k: int | NDArray[Any]) -> Floats:
    """Return the probability that the label is not among k guesses, ties broken at random.

    Examples
    --------
    >>> miss(np.array([0, 0, 2]), np.array([0, 2, 0]), k=1)
    array([0.        , 0.66666667, 1.        ])
    """
    probability: Floats = 1.0 - np.clip((k - greater) / (equal + 1.0), 0.0, 1.0)
    return probability


def tally(table: RankTable, k: tuple[int, ...]) -> Tally:
    """Sum the misses of ``table`` over the rows of each class, for every k."""
    size = table.n_classes + 1
    mass = table.mass

    def by_class(label: NDArray[np.int64], values: NDArray[Any]) -> Floats:
        sums: Floats = np.bincount(label, weights=values, minlength=size).astype(np.float64, copy=False)
        return sums

    optimistic = np.stack([by_class(table.label, mass * (table.greater >= few)) for few in k], axis=1)
    expected = pessimistic = optimistic
    tied = np.flatnonzero(table.equal)
    if tied.size:
        # the readings differ in the tied rows only, which are few as a rule
        label, greater, equal, weight = table.label[tied], table.greater[tied], table.equal[tied], mass[tied]
        at_random = [miss(greater, equal, few) - (greater >= few) for few in k]
        at_worst = [(greater < few) & (greater + equal >= few) for few in k]
        expected = optimistic + np.stack([by_class(label, weight * more) for more in at_random], axis=1)
        pessimistic = optimistic + np.stack([by_class(label, weight * more) for more in at_worst], axis=1)
    return Tally(
        misses=Rates(expected, optimistic, pessimistic),
        mass=by_class(table.label, mass),
        square=by_class(table.label, mass if table.weight is None else mass * table.weight),
        rows=by_class(table.label, table.count).astype(np.int64),
        tied=float(mass[tied].sum()),
    )


@dataclass(frozen=True, eq=False)
class Sample:
    """What intervals are computed from.

    Attributes
    ----------
    table : distinct rows, with ranks up to the largest k
    k : numbers of guesses, ascending
    """

    table: RankTable
    k: tuple[int, ...]

    @cached_property
    def sums(self) -> Tally:
        """Return the sums over the rows of each class."""
        return tally(self.table, self.k)
