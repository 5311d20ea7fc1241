"""A table of distances that is computed a block of rows at a time, and its smallest entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from gradus.core import progress
from gradus.tsne.neighbours import Neighbours

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# distances that are held at once
BLOCK = 2**22


@dataclass(frozen=True)
class DistanceTable:
    """Distances of every row to every column, never held as a whole.

    Attributes
    ----------
    shape : (rows, columns)
    block : a slice of the rows -> their distances (rows of the slice, columns), float64, a new array, at least 0
    """

    shape: tuple[int, int]
    block: Callable[[slice], NDArray[np.float64]]

    def nearest(self, count: int, unit: float) -> Neighbours:
        """Return the ``count`` smallest entries of every row; a distance of 1 is ``unit`` under the metric."""
        return self._nearest(count, unit, square=False)

    def nearest_others(self, count: int, unit: float) -> Neighbours:
        """Return the ``count`` smallest entries of every row of a square table, but for the one on the diagonal."""
        return self._nearest(count, unit, square=True)

    def _nearest(self, count: int, unit: float, *, square: bool) -> Neighbours:
        rows, columns = self.shape
        indices, distances = np.empty((rows, count), np.int32), np.empty((rows, count))
        height = max(1, BLOCK // columns)
        with progress.task("nearest neighbours", total=rows) as task:
            for start in range(0, rows, height):
                part = slice(start, min(start + height, rows))
                block = self.block(part)
                if square:
                    block[np.arange(len(block)), np.arange(part.start, part.stop)] = np.inf
                indices[part], distances[part] = smallest(block, count)
                task.advance(len(block))
        return measured_neighbours(indices, distances, unit)


def smallest(distances: NDArray[np.float64], count: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the columns and the values of the ``count`` smallest entries of every row, smallest first.

    Equal entries are in order of column, also where only some of them are among the smallest.

    Examples
    --------
    >>> smallest(np.array([[2.0, 1.0, 0.5, 1.0]]), 2)
    (array([[2, 1]], dtype=int32), array([[0.5, 1. ]]))
    """
    worst = np.partition(distances, count - 1, axis=1)[:, count - 1 : count]
    rank = np.where(distances < worst, 0, np.where(distances == worst, 1, 2)).astype(np.int8)
    columns = np.argsort(rank, axis=1, kind="stable")[:, :count]
    values = np.take_along_axis(distances, columns, 1)
    order = np.argsort(values, axis=1, kind="stable")
    # within the smaller ones columns ascend, so a stable sort leaves equal values in their order
    return np.take_along_axis(columns, order, 1).astype(np.int32), np.take_along_axis(values, order, 1)


def measured_neighbours(indices: NDArray[np.int32], distances: NDArray[np.float64], unit: float) -> Neighbours:
    """Return neighbours by their distances, in units of the largest, so that no square overflows or vanishes."""
    largest = float(distances.max(initial=0.0)) or 1.0
    squared = (distances / largest) ** 2
    return Neighbours(torch.from_numpy(indices), torch.from_numpy(squared), largest * unit)
