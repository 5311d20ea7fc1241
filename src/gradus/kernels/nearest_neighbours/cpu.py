"""The search by blocked products: a tile of queries against a panel of points, then a buffer per query."""

from __future__ import annotations

import numba
import numpy as np
import torch
from torch import Tensor

from gradus.kernels.compilation import compiled
from gradus.kernels.nearest_neighbours.selection import (
    CHUNK,
    GROUP,
    SPARE,
    capacity,
    decide,
    keep_nearest,
    multiply,
    offer,
)

TILE = 2 * GROUP
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
    _scan(np.ascontiguousarray(queries), *_panels(points), sizes, np.ascontiguousarray(points), indices, squared)
    return torch.from_numpy(indices), torch.from_numpy(squared)


def _panels(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the points as (panels, features, width), where a row is a feature, and their squared norms.

    Points that only fill up the last panel are infinitely far from everything.
    """
    features = points.shape[1]
    width = int(np.clip(PANEL_BYTES // (features * points.itemsize) // CHUNK, 1, 8)) * CHUNK
    count = -(-len(points) // width)
    filled = np.zeros((count * width, features), points.dtype)
    filled[: len(points)] = points
    norms = np.full(len(filled), np.inf, points.dtype)
    norms[: len(points)] = np.einsum("ij,ij->i", points, points)
    panels = np.ascontiguousarray(filled.reshape(count, width, features).transpose(0, 2, 1))
    return panels, norms.reshape(count, width)


@compiled(parallel=True)
def _scan(
    queries: np.ndarray,
    panels: np.ndarray,
    norms: np.ndarray,
    sizes: tuple[int, int, int],
    points: np.ndarray,
    indices: np.ndarray,
    squared: np.ndarray,
) -> None:
    features, width = panels.shape[1], panels.shape[2]
    for tile in numba.prange((len(queries) + TILE - 1) // TILE):
        own, wanted, room = sizes
        factors = np.empty(GROUP * features, points.dtype)
        products = np.empty(GROUP * width, points.dtype)
        keys = np.empty((TILE, room), points.dtype)
        index = np.empty((TILE, room), np.int32)
        filled = np.zeros(TILE, np.int64)
        worst = np.full(TILE, np.inf, points.dtype)
        first = tile * TILE
        rows = min(TILE, len(queries) - first)
        for panel in range(len(panels)):
            start = panel * width
            for group in range(0, rows, GROUP):
                some = np.arange(first + group, first + min(group + GROUP, rows))
                found = multiply(queries, some, panels[panel], factors, products)
                for row in range(group, group + some.size):
                    state = (filled[row], worst[row], wanted)
                    excluded = first + row + own - start
                    own_products = found[row - group]
                    state = offer(own_products, norms[panel], start, excluded, keys[row], index[row], state)
                    filled[row], worst[row] = state[0], state[1]
        for row in range(rows):
            if filled[row] > wanted:
                keep_nearest(keys[row], index[row], filled[row], wanted)
            nearest = index[row, :wanted]
            decide(queries[first + row], points, nearest, indices[first + row], squared[first + row])
