"""Neighbours by distances that were computed elsewhere: a whole table of them, or a sparse graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from gradus.core.errors import InputError
from gradus.tsne.distance_table import DistanceTable, measured_neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradus.tsne.neighbours import Neighbours


@dataclass(frozen=True)
class DistancesToAll:
    """A dense table of distances.

    Attributes
    ----------
    samples : the number of columns, which are the rows of the map
    table : (samples, samples), of which row i holds the distances of row i, its diagonal is not looked at; None once
        only new rows are asked about
    """

    samples: int
    table: NDArray[np.floating] | None

    @classmethod
    def of(cls, table: NDArray[np.floating]) -> DistancesToAll:
        """Take a square table of distances, finite.

        Raises
        ------
        InputError : if it is not square, or a distance is negative
        """
        require_square(table.shape)
        require_distances(table)
        return cls(len(table), table)

    def others(self, count: int) -> Neighbours:
        """Return the ``count`` nearest other rows of every row."""
        assert self.table is not None
        return self._table(self.table).nearest_others(count, 1.0)

    def among(self, rows: NDArray[np.floating], count: int) -> Neighbours:
        """Return the ``count`` nearest rows of every new one, whose distances to all of them are ``rows``."""
        require_distances(rows)
        return self._table(rows).nearest(count, 1.0)

    def remembered(self) -> DistancesToAll:
        """Return the search without its table."""
        return DistancesToAll(self.samples, None)

    def _table(self, rows: NDArray[np.floating]) -> DistanceTable:
        return DistanceTable((len(rows), self.samples), lambda part: rows[part].astype(np.float64))


@dataclass(frozen=True)
class DistancesToSome:
    """A sparse table, whose stored entries, zeros among them, are distances; nothing is known of the others.

    Attributes
    ----------
    samples : the number of columns, which are the rows of the map
    table : (samples, samples) CSR, its diagonal is not looked at; None once only new rows are asked about
    """

    samples: int
    table: sparse.csr_array | None

    @classmethod
    def of(cls, table: sparse.csr_array) -> DistancesToSome:
        """Take a square sparse table of distances, finite.

        Raises
        ------
        InputError : if it is not square, or a distance is negative
        """
        require_square(table.shape)
        require_distances(table.data)
        return cls(table.shape[0], table)

    def others(self, count: int) -> Neighbours:
        """Return the ``count`` nearest of the stored neighbours of every row.

        Raises
        ------
        InputError : if a row has fewer
        """
        assert self.table is not None
        edges = self.table.tocoo()
        other = edges.row != edges.col
        pruned = (edges.data[other], (edges.row[other], edges.col[other]))
        return _nearest_stored(sparse.csr_array(pruned, shape=self.table.shape), count)

    def among(self, rows: sparse.csr_array, count: int) -> Neighbours:
        """Return the ``count`` nearest of the stored neighbours of new rows; raises InputError if one has fewer."""
        require_distances(rows.data)
        return _nearest_stored(rows, count)

    def remembered(self) -> DistancesToSome:
        """Return the search without its table."""
        return DistancesToSome(self.samples, None)


def require_square(shape: tuple[int, ...]) -> None:
    """Refuse a table that has not as many columns as rows."""
    if shape[0] != shape[1]:
        raise InputError(
            f"X has shape {shape}, but a precomputed metric takes a square distance matrix or graph, a row and a "
            "column for each sample: give one, or another metric"
        )


def require_distances(values: NDArray[np.floating]) -> None:
    """Refuse negative distances."""
    least = float(values.min(initial=0.0))
    if least < 0:
        raise InputError(
            f"Negative values in data: X holds {least:g}, but precomputed distances are positive or 0: "
            "check what X holds"
        )


def _nearest_stored(rows: sparse.csr_array, count: int) -> Neighbours:
    stored = np.diff(rows.indptr)
    if stored.min() < count:
        poorest = int(stored.argmin())
        raise InputError(
            f"{count} neighbors of every row are needed, but row {poorest} of the precomputed distances stores "
            f"{stored[poorest]}: give more, or n_neighbors={max(1, stored[poorest])} or a perplexity of at most "
            f"{max(1.0, stored[poorest] / 3):.1f}"
        )
    row = np.repeat(np.arange(len(stored)), stored)
    order = np.lexsort((rows.indices, rows.data, row))
    first = rows.indptr[:-1, None] + np.arange(count)
    chosen = order[first]
    return measured_neighbours(rows.indices[chosen].astype(np.int32), rows.data[chosen].astype(np.float64), 1.0)
