"""A tree of cubes over points in space: the points along a curve, and the cubes as ranges of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gradus.kernels.compilation import compiled

# halvings of the cube that holds all points
DEPTH = 20
# points that a cube may have without being halved
FEW = 8


class Tree(NamedTuple):
    """Cubes in the order in which they are met when every cube is followed by its parts.

    Attributes
    ----------
    points : (others, 3), along the curve
    middles : (cubes, 3), the means of the points in each cube
    edges : (cubes,), squared lengths of their edges
    ranges : (cubes, 2), first point of a cube and first one after it
    following : (cubes,), the cube that is met next where the parts of a cube are passed over
    """

    points: np.ndarray
    middles: np.ndarray
    edges: np.ndarray
    ranges: np.ndarray
    following: np.ndarray


def tree_over(points: np.ndarray) -> Tree:
    """Return the tree of ``points`` (others, 3); points that coincide share a cube, however many they are."""
    low = points.min(0).astype(np.float64)
    edge = max(float((points.max(0) - low).max()), 1e-30)
    codes = _codes(points, low, 2**DEPTH / edge)
    order = np.argsort(codes, kind="stable")
    ordered, codes = np.ascontiguousarray(points[order]), codes[order]
    ranges, levels = _cubes(codes)
    sums = np.zeros((len(ordered) + 1, 3))
    np.cumsum(ordered, axis=0, dtype=np.float64, out=sums[1:])
    counts = (ranges[:, 1] - ranges[:, 0])[:, None]
    middles = ((sums[ranges[:, 1]] - sums[ranges[:, 0]]) / counts).astype(points.dtype)
    edges = ((edge / 2.0**levels) ** 2).astype(points.dtype)
    return Tree(ordered, middles, edges, ranges, _following(ranges))


@compiled()
def _codes(points: np.ndarray, low: np.ndarray, scale: float) -> np.ndarray:
    """Return for every point the bits of its three cell numbers, interleaved, the most significant first."""
    codes = np.empty(len(points), np.int64)
    most = 2**DEPTH - 1
    for i in range(len(points)):
        code = np.int64(0)
        a = min(np.int64((points[i, 0] - low[0]) * scale), most)
        b = min(np.int64((points[i, 1] - low[1]) * scale), most)
        c = min(np.int64((points[i, 2] - low[2]) * scale), most)
        for bit in range(DEPTH - 1, -1, -1):
            code = (code << 3) | (((a >> bit) & 1) << 2) | (((b >> bit) & 1) << 1) | ((c >> bit) & 1)
        codes[i] = code
    return codes


@compiled()
def _cubes(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ranges of all cubes that hold points, each followed by its parts, and how often each was halved."""
    room = 2 * len(codes) + DEPTH
    ranges, levels = np.empty((room, 2), np.int64), np.empty(room, np.int64)
    waiting = np.empty((8 * DEPTH + 8, 3), np.int64)
    waiting[0] = (0, len(codes), 0)
    left, found = 1, 0
    while left > 0:
        left -= 1
        start, stop, level = waiting[left]
        ranges[found] = (start, stop)
        levels[found] = level
        found += 1
        if stop - start <= FEW or level == DEPTH:
            continue
        # a cube with all its points in one part becomes that part
        while level < DEPTH and (codes[start] ^ codes[stop - 1]) >> (3 * (DEPTH - 1 - level)) == 0:
            level += 1
        levels[found - 1] = level
        if level == DEPTH:
            continue
        shift = 3 * (DEPTH - 1 - level)
        last = stop
        for part in range(7, -1, -1):
            first = start + np.searchsorted(codes[start:last] >> shift & 7, part)
            if first < last:
                waiting[left] = (first, last, level + 1)
                left += 1
            last = first
    return ranges[:found], levels[:found]


@compiled()
def _following(ranges: np.ndarray) -> np.ndarray:
    """Return for every cube the first later one that is no part of it."""
    following = np.empty(len(ranges), np.int64)
    for cube in range(len(ranges) - 1, -1, -1):
        after = cube + 1
        while after < len(ranges) and ranges[after, 0] < ranges[cube, 1]:
            after = following[after]
        following[cube] = after
    return following
