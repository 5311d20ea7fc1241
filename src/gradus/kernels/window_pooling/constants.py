"""Numbers that depend on a window's place only: how many positions it has, and which is its first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradus.kernels.window_pooling.variant import COUNT, COUNT_PADDED
from gradus.kernels.window_pooling.windows import ABSENT, Windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradus.kernels.window_pooling.variant import Constant
    from gradus.kernels.window_pooling.windows import Geometry, Ints


def constants_of(geometry: Geometry, sizes: Ints, constant: Constant) -> NDArray[np.int64]:
    """Return for every window, in row-major order, its constant.

    ``COUNT``: how many of its positions lie in the input. ``COUNT_PADDED``: in the input or its padding, but not where
    ceil mode makes it reach further. ``FIRST_TAP``: the number of its first position in the input, as a tap.
    """
    if constant == COUNT_PADDED and isinstance(geometry, Windows):
        counts = [_padded_count(geometry.padded(sizes), sizes, axis) for axis in range(len(sizes))]
        return _outer(counts)
    positions = geometry.positions(sizes)
    present = [(p != ABSENT) for p in positions]
    if constant in (COUNT, COUNT_PADDED):
        return _outer([p.sum(axis=1) for p in present])
    first = [p.argmax(axis=1) if p.size else p.sum(axis=1) for p in present]
    tap = first[0]
    for axis in range(1, len(sizes)):
        tap = np.add.outer(tap * positions[axis].shape[1], first[axis])
    taps: NDArray[np.int64] = tap.reshape(-1).astype(np.int64)
    return taps


def _padded_count(windows: Windows, sizes: Ints, axis: int) -> NDArray[np.int64]:
    reach = (-windows.before[axis], sizes[axis] + windows.after[axis])
    found = np.arange(windows.output(sizes)[axis])[:, None] * windows.stride[axis] - windows.before[axis]
    found = found + np.arange(windows.kernel[axis]) * windows.dilation[axis]
    counts: NDArray[np.int64] = ((found >= reach[0]) & (found < reach[1])).sum(axis=1)
    return counts


def _outer(counts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    total = counts[0]
    for count in counts[1:]:
        total = np.multiply.outer(total, count)
    flat: NDArray[np.int64] = total.reshape(-1)
    return flat
