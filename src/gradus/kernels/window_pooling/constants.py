"""Numbers that depend on a window's place only: how many positions it has, and which is its first."""

from __future__ import annotations

import math
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from gradus.kernels.window_pooling.variant import COUNT, COUNT_PADDED, FIRST_TAP
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
    joined = np.add.outer if constant == FIRST_TAP else np.multiply.outer
    found: NDArray[np.int64] = reduce(joined, constants_along_axes(geometry, sizes, constant)).reshape(-1)
    return found


def constants_along_axes(geometry: Geometry, sizes: Ints, constant: Constant) -> list[NDArray[np.int64]]:
    """Return a number for each window along each axis: a constant is their product, or, of ``FIRST_TAP``, their sum."""
    if constant == COUNT_PADDED and isinstance(geometry, Windows):
        return [_padded_count(geometry.padded(sizes), sizes, axis) for axis in range(len(sizes))]
    positions = geometry.positions(sizes)
    present = [(p != ABSENT) for p in positions]
    if constant in (COUNT, COUNT_PADDED):
        return [p.sum(axis=1) for p in present]
    first = [p.argmax(axis=1) if p.size else p.sum(axis=1) for p in present]
    kernel = [p.shape[1] for p in positions]
    return [f.astype(np.int64) * math.prod(kernel[axis + 1 :]) for axis, f in enumerate(first)]


def _padded_count(windows: Windows, sizes: Ints, axis: int) -> NDArray[np.int64]:
    reach = (-windows.before[axis], sizes[axis] + windows.after[axis])
    found = np.arange(windows.output(sizes)[axis])[:, None] * windows.stride[axis] - windows.before[axis]
    found = found + np.arange(windows.kernel[axis]) * windows.dilation[axis]
    counts: NDArray[np.int64] = ((found >= reach[0]) & (found < reach[1])).sum(axis=1)
    return counts
