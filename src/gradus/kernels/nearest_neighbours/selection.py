"""Products of four queries with a panel of points, and the nearest of what was seen, kept in a buffer per query.

The products are written out here, instead of calling a linear algebra library, because a library may round
differently for another number of threads and another shape of the block, and because the products never leave the
cache before the buffers have seen them.
"""

from __future__ import annotations

import numpy as np

from gradus.kernels.compilation import compiled

# queries and features that one step of the product takes
STEP = 4
# how many candidates beyond the wanted ones have their distances recomputed: a margin for rounding
SPARE = 16
# points whose distances are compared at once
CHUNK = 64
CONTRACT = {"contract"}
GAPS = (701, 301, 132, 57, 23, 10, 4, 1)


def capacity(wanted: int) -> int:
    """Return the size of a buffer that keeps ``wanted`` candidates: half of it is thrown away when it is full."""
    return 2 * wanted + 4 * CHUNK


def padded(rows: np.ndarray, multiple: int) -> np.ndarray:
    """Return the rows with zero rows and zero features added, to whole blocks and whole unrolled steps."""
    samples, features = rows.shape
    wide = np.zeros((-(-samples // multiple) * multiple, -(-features // STEP) * STEP), rows.dtype)
    wide[:samples, :features] = rows
    return wide


@compiled(fastmath=CONTRACT)
def multiply_four(block: np.ndarray, rows: np.ndarray, panel: np.ndarray, products: np.ndarray) -> None:
    """Set products[r, p] to the scalar product of row rows[r] of ``block`` and column p of ``panel``, r < 4."""
    features, width = panel.shape
    a, b, c, d = block[rows[0]], block[rows[1]], block[rows[2]], block[rows[3]]
    a_out, b_out, c_out, d_out = products[0, :width], products[1, :width], products[2, :width], products[3, :width]
    products[:, :width] = 0
    for f in range(0, features, STEP):
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
    """Offer the points of a panel, numbered from ``first``, to the buffer of one query.

    ``state`` holds how many the buffer has, the distance above which none is taken, and how many are wanted.
    """
    size, worst, wanted = state
    two = products.dtype.type(2)
    for start in range(0, norms.size, CHUNK):
        # a chunk without a candidate, nearly every one, costs a vector comparison and no branch
        stop = min(start + CHUNK, norms.size)
        if not _any_below(products[start:stop], norms[start:stop], worst):
            continue
        if size + CHUNK > keys.size:
            worst = keep_nearest(keys, index, size, wanted)
            size = wanted
        for p in range(start, stop):
            distance = norms[p] - two * products[p]
            keys[size] = distance
            index[size] = first + p
            size += (distance < worst) & (p != excluded)
    return size, worst, wanted


@compiled()
def _any_below(products: np.ndarray, norms: np.ndarray, worst: float) -> bool:
    two = products.dtype.type(2)
    hits = np.int32(0)
    for p in range(products.size):
        hits += np.int32(norms[p] - two * products[p] < worst)
    return bool(hits > 0)


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
