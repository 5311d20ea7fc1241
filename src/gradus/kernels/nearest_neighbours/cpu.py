"""The search by blocked products: a tile of queries against a panel of points, then a heap per query.

The products are written out here, instead of calling a linear algebra library, because a library may round
differently for another number of threads and another shape of the block, and because the products of a tile never
leave the cache before the heaps have seen them.
"""

from __future__ import annotations

import numba
import numpy as np
import torch
from torch import Tensor

TILE = 32
UNROLLED = 4
PANEL_BYTES = 2**16
# how many candidates beyond the wanted ones have their distances recomputed: a margin for rounding
SPARE = 16
CHUNK = 64
CONTRACT = {"contract"}


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
    tiles = _padded(queries, TILE)
    _scan(tiles, *_panels(points), own, wanted, queries, points, indices, squared)
    return torch.from_numpy(indices), torch.from_numpy(squared)


def _padded(rows: np.ndarray, multiple: int) -> np.ndarray:
    """Return the rows with zero rows and zero features added, to whole tiles and whole unrolled steps."""
    samples, features = rows.shape
    padded = np.zeros((-(-samples // multiple) * multiple, -(-features // UNROLLED) * UNROLLED), rows.dtype)
    padded[:samples, :features] = rows
    return padded


def _panels(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the points as (panels, features, width), where a row is a feature, and their squared norms.

    Points that only fill up the last panel are infinitely far from everything.
    """
    features = -(-points.shape[1] // UNROLLED) * UNROLLED
    width = int(np.clip(PANEL_BYTES // (features * points.itemsize) // CHUNK, 1, 8)) * CHUNK
    padded = _padded(points, width)
    norms = np.full(len(padded), np.inf, points.dtype)
    norms[: len(points)] = np.einsum("ij,ij->i", points, points)
    panels = np.ascontiguousarray(padded.reshape(-1, width, features).transpose(0, 2, 1))
    return panels, norms.reshape(-1, width)


@numba.njit(parallel=True, cache=True, nogil=True, error_model="numpy")
def _scan(
    tiles: np.ndarray,
    panels: np.ndarray,
    norms: np.ndarray,
    own: int,
    wanted: int,
    queries: np.ndarray,
    points: np.ndarray,
    indices: np.ndarray,
    squared: np.ndarray,
) -> None:
    width = panels.shape[2]
    for tile in numba.prange(len(tiles) // TILE):
        products = np.empty((TILE, width), tiles.dtype)
        heap = np.full((TILE, wanted), np.inf, tiles.dtype)
        index = np.full((TILE, wanted), -1, np.int32)
        first = tile * TILE
        rows = min(TILE, len(queries) - first)
        for panel in range(len(panels)):
            _multiply(tiles, first, panels[panel], products)
            for row in range(rows):
                excluded = first + row + own - panel * width
                _select(products[row], norms[panel], panel * width, excluded, heap[row], index[row])
        for row in range(rows):
            _decide(queries[first + row], points, index[row], indices[first + row], squared[first + row])


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=CONTRACT)
def _multiply(tiles: np.ndarray, first: int, panel: np.ndarray, products: np.ndarray) -> None:
    """Set products[q, p] to the scalar product of query first + q and point p: four queries, four features a step."""
    features, width = panel.shape
    for q in range(0, TILE, 4):
        a, b, c, d = tiles[first + q], tiles[first + q + 1], tiles[first + q + 2], tiles[first + q + 3]
        a_out, b_out, c_out, d_out = products[q], products[q + 1], products[q + 2], products[q + 3]
        products[q : q + 4] = 0
        for f in range(0, features, UNROLLED):
            a0, a1, a2, a3 = a[f], a[f + 1], a[f + 2], a[f + 3]
            b0, b1, b2, b3 = b[f], b[f + 1], b[f + 2], b[f + 3]
            c0, c1, c2, c3 = c[f], c[f + 1], c[f + 2], c[f + 3]
            d0, d1, d2, d3 = d[f], d[f + 1], d[f + 2], d[f + 3]
            p0, p1, p2, p3 = panel[f], panel[f + 1], panel[f + 2], panel[f + 3]
            for p in range(width):
                t0, t1, t2, t3 = p0[p], p1[p], p2[p], p3[p]
                a_out[p] += a0 * t0 + a1 * t1 + a2 * t2 + a3 * t3
                b_out[p] += b0 * t0 + b1 * t1 + b2 * t2 + b3 * t3
                c_out[p] += c0 * t0 + c1 * t1 + c2 * t2 + c3 * t3
                d_out[p] += d0 * t0 + d1 * t1 + d2 * t2 + d3 * t3


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _select(
    products: np.ndarray, norms: np.ndarray, offset: int, excluded: int, heap: np.ndarray, index: np.ndarray
) -> None:
    """Offer the points of a panel to the heap of one query, whose root is the worst that is kept."""
    two = products.dtype.type(2)
    for start in range(0, products.size, CHUNK):
        # a chunk without a candidate, nearly every one, costs a vector comparison and no branch
        worst = heap[0]
        candidates = 0
        for p in range(start, start + CHUNK):
            distance = norms[p] - two * products[p]
            products[p] = distance
            candidates += distance < worst
        if candidates == 0:
            continue
        for p in range(start, start + CHUNK):
            if products[p] < heap[0] and p != excluded:
                _replace_root(heap, index, products[p], offset + p)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _replace_root(heap: np.ndarray, index: np.ndarray, distance: float, point: int) -> None:
    hole = 0
    while True:
        child = 2 * hole + 1
        if child >= heap.size:
            break
        if child + 1 < heap.size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= distance:
            break
        heap[hole], index[hole] = heap[child], index[child]
        hole = child
    heap[hole], index[hole] = distance, point


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _decide(
    query: np.ndarray, points: np.ndarray, candidates: np.ndarray, indices: np.ndarray, squared: np.ndarray
) -> None:
    """Keep the nearest of the candidates by their exact distances; equal ones in order of index."""
    candidates.sort()
    distances = np.empty(candidates.size, np.float64)
    for c in range(candidates.size):
        total = 0.0
        for f in range(query.size):
            difference = np.float64(query[f]) - np.float64(points[candidates[c], f])
            total += difference * difference
        distances[c] = total
    order = np.argsort(distances, kind="mergesort")
    for k in range(indices.size):
        indices[k] = candidates[order[k]]
        squared[k] = distances[order[k]]
