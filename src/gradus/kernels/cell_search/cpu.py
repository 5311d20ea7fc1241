"""The search in cells: blocks of queries that share cells against one cell's points, then a buffer per query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np
import torch

from gradus.kernels.compilation import compiled
from gradus.kernels.nearest_neighbours.selection import (
    GROUP,
    SPARE,
    capacity,
    decide,
    keep_nearest,
    multiply,
    offer,
)

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.cell_search.cells import Cells

BLOCK = 128
# cells are filled up to whole vectors
LANES = 16


def nearest_in_cells(points: Tensor, sketch: Tensor, cells: Cells, probes: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the nearest other rows of every row in its cells; see the package."""
    rows, coarse = np.ascontiguousarray(points.numpy()), np.ascontiguousarray(sketch.numpy())
    asked = np.ascontiguousarray(probes.numpy())
    starts, owners, columns, norms = _columns(coarse, cells)
    order = np.lexsort(asked.T[1::-1]).astype(np.int32)
    indices = np.zeros((len(rows), count), np.int32)
    squared = np.zeros((len(rows), count), np.float64)
    wanted = min(count + SPARE + (0 if sketch is points else count // 2), len(rows) - 1)
    own = np.empty(len(rows), np.int32)
    filled = np.flatnonzero(owners >= 0)
    own[owners[filled]] = filled
    sizes = (wanted, capacity(wanted))
    _scan_cells(rows, coarse, order, asked, starts, columns, norms, owners, own, sizes, indices, squared)
    return torch.from_numpy(indices), torch.from_numpy(squared)


def _columns(rows: np.ndarray, cells: Cells) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return where each cell's columns start, whose they are (-1: nobody's), the columns, and their squared norms.

    The part of a cell is a matrix (features, width) of its own, one row after the other.
    """
    sizes = cells.sizes.numpy()
    starts = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(-(-sizes // LANES) * LANES, out=starts[1:])
    owners = np.full(starts[-1], -1, np.int32)
    members = cells.members.numpy()
    owners[np.arange(len(members)) + np.repeat(starts[:-1] - cells.offsets.numpy()[:-1], sizes)] = members
    columns = np.zeros(len(owners) * rows.shape[1], rows.dtype)
    norms = np.full(len(owners), np.inf, rows.dtype)
    _fill(rows, owners, starts, columns, norms)
    return starts, owners, columns, norms


@compiled(parallel=True)
def _fill(rows: np.ndarray, owners: np.ndarray, starts: np.ndarray, columns: np.ndarray, norms: np.ndarray) -> None:
    features = columns.size // max(1, owners.size)
    for cell in numba.prange(len(starts) - 1):
        start, width = starts[cell], starts[cell + 1] - starts[cell]
        for column in range(width):
            owner = owners[start + column]
            if owner >= 0:
                total = rows.dtype.type(0)
                for feature in range(rows.shape[1]):
                    value = rows[owner, feature]
                    columns[start * features + feature * width + column] = value
                    total += value * value
                norms[start + column] = total


@compiled(parallel=True)
def _scan_cells(
    points: np.ndarray,
    coarse: np.ndarray,
    order: np.ndarray,
    probes: np.ndarray,
    starts: np.ndarray,
    columns: np.ndarray,
    norms: np.ndarray,
    owners: np.ndarray,
    own: np.ndarray,
    sizes: tuple[int, int],
    indices: np.ndarray,
    squared: np.ndarray,
) -> None:
    features = columns.size // owners.size
    widest = np.max(np.diff(starts))
    for group in numba.prange((len(order) + BLOCK - 1) // BLOCK):
        wanted, room = sizes
        rows = order[group * BLOCK : (group + 1) * BLOCK]
        block = np.empty((len(rows), features), points.dtype)
        for r in range(len(rows)):
            block[r] = coarse[rows[r]]
        factors = np.empty(GROUP * features, points.dtype)
        products = np.empty(GROUP * widest, points.dtype)
        keys = np.empty((len(rows), room), points.dtype)
        index = np.empty((len(rows), room), np.int32)
        filled = np.zeros(len(rows), np.int64)
        worst = np.full(len(rows), np.inf, points.dtype)
        begin, askers = _askers(rows, probes, len(starts) - 1)
        for rank in range(probes.shape[1]):
            for r in range(len(rows)):
                cell = probes[rows[r], rank]
                first, last = begin[cell], begin[cell + 1]
                # negative once the cell has been seen
                if first == last or askers[first] < 0:
                    continue
                start, stop = starts[cell], starts[cell + 1]
                panel = columns[start * features : stop * features].reshape((features, stop - start))
                for batch in range(first, last, GROUP):
                    some = askers[batch : min(batch + GROUP, last)]
                    multiplied = multiply(block, some, panel, factors, products)
                    for place in range(some.size):
                        asker = some[place]
                        state = (filled[asker], worst[asker], wanted)
                        excluded = own[rows[asker]] - start
                        own_products = multiplied[place]
                        state = offer(
                            own_products, norms[start:stop], start, excluded, keys[asker], index[asker], state
                        )
                        filled[asker], worst[asker] = state[0], state[1]
                askers[first] = -1
        for r in range(len(rows)):
            found = min(wanted, filled[r])
            if filled[r] > wanted:
                keep_nearest(keys[r], index[r], filled[r], wanted)
            for k in range(found):
                index[r, k] = owners[index[r, k]]
            decide(points[rows[r]], points, index[r, :found], indices[rows[r]], squared[rows[r]])


@compiled()
def _askers(rows: np.ndarray, probes: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Return, cell by cell, which rows of a block probe it: where each cell's begin, and all of them."""
    begin = np.zeros(cells + 2, np.int32)
    askers = np.empty(len(rows) * probes.shape[1], np.int32)
    for r in range(len(rows)):
        for rank in range(probes.shape[1]):
            begin[probes[rows[r], rank] + 2] += 1
    for cell in range(cells):
        begin[cell + 2] += begin[cell + 1]
    for r in range(len(rows)):
        for rank in range(probes.shape[1]):
            cell = probes[rows[r], rank] + 1
            askers[begin[cell]] = r
            begin[cell] += 1
    return begin, askers
