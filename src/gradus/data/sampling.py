"""Rows drawn at random within groups, so that every group keeps its share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def allotted(
    counts: NDArray[np.int64], total: int, least: NDArray[np.int64], most: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return how many of ``total`` rows each group gets: in proportion to ``counts``, between ``least`` and ``most``.

    The largest remainder decides the last rows, the earlier group where remainders tie. The sum is ``total`` wherever
    ``least.sum() <= total <= most.sum()``, else the nearer of the two. All arrays are (groups,) int64.

    Examples
    --------
    >>> counts = np.array([90, 9, 1])
    >>> allotted(counts, 10, np.array([1, 1, 1]), counts).tolist()
    [8, 1, 1]
    """
    share = counts * (total / max(int(counts.sum()), 1))
    given: NDArray[np.int64] = np.clip(np.floor(share).astype(np.int64), least, most)
    while given.sum() != total:
        step = 1 if given.sum() < total else -1
        free = np.flatnonzero(given < most) if step > 0 else np.flatnonzero(given > least)
        if not len(free):
            break
        # The groups furthest from their share move first, one row each, as many as are needed.
        order = np.argsort(-step * (share - given)[free], kind="stable")
        given[free[order[: abs(total - int(given.sum()))]]] += step
    return given


def drawn(groups: NDArray[np.int64], take: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return the positions, sorted, of ``take[g]`` rows drawn without replacement from every group g.

    Parameters
    ----------
    groups : (n,) int64 in [0, len(take))
    take : (groups,) int64, at most the size of each group
    seed : the same seed draws the same rows
    """
    order = np.lexsort((np.random.default_rng(seed).random(len(groups)), groups))
    sizes = np.bincount(groups, minlength=len(take))
    starts = np.cumsum(sizes) - sizes
    rank = np.arange(len(groups)) - starts[groups[order]]
    return np.sort(order[rank < take[groups[order]]]).astype(np.int64)
