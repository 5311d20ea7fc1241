"""The search by blocked products: a tile of queries against a panel of points, then a buffer per query."""

from __future__ import annotations

import numba
import numpy as np
import torch
from torch import Tensor

from gradus.kernels.compilation import compiled
from gradus.kernels.nearest_neighbours.selection import (
    CHUNK,
    SPARE,
    STEP,
    capacity,
    decide,
    keep_nearest,
    multiply_four,
    offer,
    padded,
)

TILE = 32
PANEL_BYTES = 2**16


def nearest_among(queries: Tensor, points: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the nearest points of every query; see the package."""
    return _search(queries.detach().numpy(), points.detach().numpy(), count, len(points))


def nearest_others(points: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the nearest other rows of every row; see the package."""
    rows = points.detach().numpy()
    return _search(rows, rows, count, 0)


def _search(queries: np.ndarray, points: np.ndarray, count: int, own: int) -> tuple[Tensor, Tensor]:
    """Search; ``own`` is the distance in index from a query to the point that is itself and does not count."""
    wanted = min(count + SPARE, len(points) - (own == 0))
    indices = np.empty((len(queries), count), np.int32)
    squared = np.empty((len(queries), count), np.float64)
    sizes = (own, wanted, capacity(wanted))
    _scan(padded(queries, TILE), *_panels(points), sizes, queries, points, indices, squared)
    return torch.from_numpy(indices), torch.from_numpy(squared)


def _panels(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the points as (panels, features, width), where a row is a feature, and their squared norms.

    Points that only fill up the last panel are infinitely far from everything.
    """
    features = -(-points.shape[1] // STEP) * STEP
    width = int(np.clip(PANEL_BYTES // (features * points.itemsize) // CHUNK, 1, 8)) * CHUNK
    filled = padded(points, width)
    norms = np.full(len(filled), np.inf, points.dtype)
    norms[: len(points)] = np.einsum("ij,ij->i", points, points)
    panels = np.ascontiguousarray(filled.reshape(-1, width, features).transpose(0, 2, 1))
    return panels, norms.reshape(-1, width)


@compiled(parallel=True)
def _scan(
    tiles: np.ndarray,
    panels: np.ndarray,
    norms: np.ndarray,
    sizes: tuple[int, int, int],
    queries: np.ndarray,
    points: np.ndarray,
    indices: np.ndarray,
    squared: np.ndarray,
) -> None:
    width = panels.shape[2]
    for tile in numba.prange(len(tiles) // TILE):
        own, wanted, room = sizes
        products = np.empty((STEP, width), tiles.dtype)
        keys = np.empty((TILE, room), tiles.dtype)
        index = np.empty((TILE, room), np.int32)
        filled = np.zeros(TILE, np.int64)
        worst = np.full(TILE, np.inf, tiles.dtype)
        first = tile * TILE
        rows = min(TILE, len(queries) - first)
        for panel in range(len(panels)):
            start = panel * width
            for group in range(0, rows, STEP):
                multiply_four(tiles[first + group :], np.arange(STEP), panels[panel], products)
                for step in range(min(STEP, rows - group)):
                    row = group + step
                    state = (filled[row], worst[row], wanted)
                    excluded = first + row + own - start
                    state = offer(products[step], norms[panel], start, excluded, keys[row], index[row], state)
                    filled[row], worst[row] = state[0], state[1]
        for row in range(rows):
            if filled[row] > wanted:
                keep_nearest(keys[row], index[row], filled[row], wanted)
            found = index[row, :wanted]
            decide(queries[first + row], points, found, indices[first + row], squared[first + row])
