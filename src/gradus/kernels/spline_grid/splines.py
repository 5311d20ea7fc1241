"""The splines of points, and the points in order of the row of the grid that they begin in."""

from __future__ import annotations

import numpy as np

from gradus.kernels.compilation import compiled


@compiled(inline="always")
def fill_splines(t: float, weights: np.ndarray) -> None:
    """Fill ``weights`` with the B-spline of order ``weights.size`` at its nodes, by the recursion over orders."""
    one = weights.dtype.type(1)
    weights[0] = one - t
    weights[1] = t
    for k in range(3, weights.size + 1):
        scale = one / weights.dtype.type(k - 1)
        weights[k - 1] = scale * t * weights[k - 2]
        for j in range(k - 2, 0, -1):
            left = weights.dtype.type(k - 1 - j) + t
            right = weights.dtype.type(j + 1) - t
            weights[j] = scale * (left * weights[j - 1] + right * weights[j])
        weights[0] = scale * (one - t) * weights[0]


@compiled()
def ranks_by_row(places: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the rank of every point when ordered by its row, stably, and fill where each row starts."""
    for i in range(len(places)):
        starts[np.int64(places[i, 0]) + 1] += 1
    for earlier in range(len(starts) - 1):
        starts[earlier + 1] += starts[earlier]
    following = starts.copy()
    ranks = np.empty(len(places), np.int32)
    for i in range(len(places)):
        row = np.int64(places[i, 0])
        ranks[i] = following[row]
        following[row] += 1
    return ranks
