"""Products of some queries with a panel of points, and the nearest of what was seen, kept in a buffer per query.

The products are our own, instead of a linear algebra library's, because a library may round differently for another
number of threads and another shape of the block, and because the products never leave the cache before the buffers
have seen them.
"""

from __future__ import annotations

import numpy as np

from gradus.kernels.blocks import add_products
from gradus.kernels.compilation import compiled
from gradus.kernels.nearest_neighbours.packing import pack_below, take_below
from gradus.kernels.tiles import VECTOR_BYTES

# queries that are multiplied with a panel before the next ones: their products stay in the first level of the cache
GROUP = 15
# how many candidates beyond the wanted ones have their distances recomputed: a margin for rounding
SPARE = 16
# points whose distances are compared at once
CHUNK = 64
# a buffer that is thrown away but for the nearest keeps up to this part of them more, found in as many halvings
SLACK = 4
HALVINGS = 24
GAPS = (701, 301, 132, 57, 23, 10, 4, 1)


def capacity(wanted: int) -> int:
    """Return the size of a buffer that keeps ``wanted`` candidates: most of it is thrown away when it is full."""
    return (2 * wanted + 5 * CHUNK) // CHUNK * CHUNK


@compiled()
def multiply(
    block: np.ndarray, rows: np.ndarray, panel: np.ndarray, factors: np.ndarray, products: np.ndarray
) -> np.ndarray:
    """Return the products (rows, points) of some rows of ``block`` with the columns of ``panel`` (features, points).

    ``factors`` and ``products`` are room for at least rows * features and rows * points numbers.
    """
    features, width = panel.shape
    turned = factors[: features * rows.size].reshape((features, rows.size))
    for f in range(features):
        for r in range(rows.size):
            turned[f, r] = block[rows[r], f]
    found = products[: rows.size * width].reshape((rows.size, width))
    found[:] = 0
    add_products(panel, turned, found, 0, 0)
    return found


@compiled()
def offer(
    products: np.ndarray,
    norms: np.ndarray,
    first: int,
    excluded: int,
    keys: np.ndarray,
    index: np.ndarray,
    state: tuple[int, float, int],
) -> tuple[int, float, int]:
    """Offer the points of a panel, whole registers of them and numbered from ``first``, to the buffer of one query.

    ``state`` holds how many the buffer has, the distance above which none is taken, and how many are wanted. The
    product of the point that is ``excluded``, if there is one, is overwritten.
    """
    size, worst, wanted = state
    lanes = VECTOR_BYTES // products.itemsize
    if 0 <= excluded < products.size:
        products[excluded] = -np.inf
    for start in range(0, norms.size, CHUNK):
        if size + CHUNK > keys.size:
            size, worst = keep_few(keys, index, size, wanted)
        for p in range(start, min(start + CHUNK, norms.size), lanes):
            size = take_below(products, norms, p, first + p, keys, index, size, worst)
    return size, worst, wanted


@compiled()
def keep_few(keys: np.ndarray, index: np.ndarray, size: int, wanted: int) -> tuple[int, float]:
    """Keep the ``wanted`` smallest of ``size`` keys and a few more, at the front; return how many, and a bound of them.

    The bound is found by halving: to count the keys below it costs a few vector comparisons. Where too many keys are
    equal for that, just those wanted are kept.
    """
    low, high = _extremes(keys[:size])
    half, most = keys.dtype.type(0.5), wanted + wanted // SLACK + 1
    for _ in range(HALVINGS):
        middle = half * low + half * high
        below = _count_below(keys[:size], middle)
        if wanted <= below <= most:
            kept = 0
            for p in range(0, size, VECTOR_BYTES // keys.itemsize):
                kept = pack_below(keys, index, p, size, kept, middle)
            return kept, middle
        if below < wanted:
            low = middle
        else:
            high = middle
    return wanted, keep_nearest(keys, index, size, wanted)


@compiled(fastmath={"nnan", "nsz", "reassoc"})
def _extremes(keys: np.ndarray) -> tuple[float, float]:
    low, high = keys[0], keys[0]
    for k in range(keys.size):
        low, high = min(low, keys[k]), max(high, keys[k])
    return low, high


@compiled()
def _count_below(keys: np.ndarray, bound: float) -> np.int32:
    count = np.int32(0)
    for k in range(keys.size):
        count += np.int32(keys[k] < bound)
    return count


@compiled()
def keep_nearest(keys: np.ndarray, index: np.ndarray, size: int, wanted: int) -> float:
    """Move the ``wanted`` smallest of ``size`` keys to the front, in any order, and return the largest of them.

    Hoare's selection: halves are exchanged around a middle key until the front is just long enough.
    """
    low, high = 0, size - 1
    while low < high:
        pivot = keys[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while keys[i] < pivot:
                i += 1
            while keys[j] > pivot:
                j -= 1
            if i <= j:
                keys[i], keys[j] = keys[j], keys[i]
                index[i], index[j] = index[j], index[i]
                i += 1
                j -= 1
        if wanted - 1 <= j:
            high = j
        elif wanted - 1 >= i:
            low = i
        else:
            break
    worst: float = keys[0]
    for k in range(1, wanted):
        worst = max(worst, keys[k])
    return worst


@compiled()
def decide(
    query: np.ndarray, points: np.ndarray, candidates: np.ndarray, indices: np.ndarray, squared: np.ndarray
) -> None:
    """Keep the nearest of the candidates by their exact distances; equal ones in order of index."""
    distances = np.empty(candidates.size, np.float64)
    for c in range(candidates.size):
        distances[c] = _squared_distance(query, points[candidates[c]])
    # Shell's sort: short, and in place
    for gap in GAPS:
        for c in range(gap, candidates.size):
            distance, candidate, hole = distances[c], candidates[c], c
            while hole >= gap:
                before = hole - gap
                if distances[before] < distance:
                    break
                if distances[before] == distance and candidates[before] < candidate:
                    break
                distances[hole], candidates[hole] = distances[before], candidates[before]
                hole = before
            distances[hole], candidates[hole] = distance, candidate
    for k in range(min(indices.size, candidates.size)):
        indices[k] = candidates[k]
        squared[k] = distances[k]


@compiled(fastmath={"reassoc", "contract"})
def _squared_distance(one: np.ndarray, other: np.ndarray) -> float:
    total = 0.0
    for f in range(one.size):
        difference = np.float64(one[f]) - np.float64(other[f])
        total += difference * difference
    return total
