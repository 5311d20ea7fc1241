"""Neighbours under metrics that are measured pair by pair: exact, and slower than the blocked search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import manhattan_distances

from gradus.core.errors import InputError
from gradus.tsne.distance_table import DistanceTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gradus.tsne.neighbours import Neighbours

SMALLEST = 1e-300


class Measure(Protocol):
    """All distances between two sets of rows."""

    @property
    def homogeneous(self) -> bool:
        """Whether the distances double where the rows do."""

    def __call__(self, rows: Any, others: Any) -> NDArray[np.float64]:
        """Return the distances (rows, others), at least 0 and finite."""


@dataclass(frozen=True)
class Manhattan:
    """Sum of |x - y| over the features, of dense or CSR rows."""

    homogeneous: bool = True

    def __call__(self, rows: Any, others: Any) -> NDArray[np.float64]:
        """Return the distances (rows, others)."""
        if isinstance(rows, np.ndarray):
            return cdist(rows, others, "cityblock")
        distances: NDArray[np.float64] = manhattan_distances(rows, others)
        return distances


@dataclass(frozen=True)
class Chebyshev:
    """The largest |x - y| over the features, of dense rows."""

    homogeneous: bool = True

    def __call__(self, rows: Any, others: Any) -> NDArray[np.float64]:
        """Return the distances (rows, others)."""
        return cdist(rows, others, "chebyshev")


@dataclass(frozen=True)
class Given:
    """What a function of two rows returns: one call of it for every pair of dense rows, in both orders."""

    function: Callable[[NDArray[np.float64], NDArray[np.float64]], float]
    homogeneous: bool = False

    def __call__(self, rows: Any, others: Any) -> NDArray[np.float64]:
        """Return the distances (rows, others).

        Raises
        ------
        InputError : if one is negative, NaN or infinite
        """
        distances: NDArray[np.float64] = cdist(rows, others, self.function)
        bad = ~((distances >= 0) & (distances < np.inf))
        if bad.any():
            raise InputError(
                f"All distances must be at least 0 and finite, but the metric given returned {distances[bad][0]:g} "
                "for a pair of rows: give a function that returns a distance"
            )
        return distances


@dataclass(frozen=True)
class MeasuredSearch:
    """The rows, each compared with all; the cost is samples^2 distances, held a block at a time.

    Attributes
    ----------
    rows : (samples, features), dense or CSR, float64, divided by ``unit``
    measure : the distances
    unit : what a distance of 1 is under the metric
    """

    rows: Any
    measure: Measure
    unit: float = 1.0

    @classmethod
    def of(cls, rows: Any, measure: Measure) -> MeasuredSearch:
        """Make ``rows``, finite, searchable; under a homogeneous measure the largest value becomes 1."""
        if not measure.homogeneous:
            return cls(rows, measure)
        unit = max(float(abs(rows).max()), SMALLEST)
        return cls(rows / unit, measure, unit)

    @property
    def samples(self) -> int:
        """The number of rows that are searched."""
        return int(self.rows.shape[0])

    def others(self, count: int) -> Neighbours:
        """Return the ``count`` nearest other rows of every row."""
        return self._table(self.rows).nearest_others(count, self.unit)

    def among(self, rows: Any, count: int) -> Neighbours:
        """Return the ``count`` nearest searched rows of every new row."""
        return self._table(rows / self.unit).nearest(count, self.unit)

    def remembered(self) -> MeasuredSearch:
        """Return the search, all of which new rows need too."""
        return self

    def _table(self, rows: Any) -> DistanceTable:
        return DistanceTable((rows.shape[0], self.samples), lambda part: self.measure(rows[part], self.rows))
