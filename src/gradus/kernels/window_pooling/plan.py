"""A geometry and a size, worked out once as the numbers and tables that the loops read."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradus.kernels.window_pooling import staging
from gradus.kernels.window_pooling.constants import constants_of
from gradus.kernels.window_pooling.variant import FIRST_TAP
from gradus.kernels.window_pooling.windows import ABSENT, Bins, Geometry, Windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradus.kernels.window_pooling.variant import Constant
    from gradus.kernels.window_pooling.windows import Ints

# a run of at least so many windows keeps the vector units busy
LEAST_RUN = 512
# what is staged of a group of planes stays in the second level of the cache
MOST_STAGED = 131_072
# so many lanes of an image are worked on together, which stay in the nearest cache
LANES = 256


class Plan(NamedTuple):
    """What the loops read of a geometry: (numbers, starts of the taps, tables, constants of the windows)."""

    numbers: NDArray[np.int64]
    starts: NDArray[np.int64]
    tables: NDArray[np.int32]
    constants: NDArray[Any]


@lru_cache(maxsize=256)
def plan_of(geometry: Geometry, sizes: Ints, lanes: int, constant: Constant, double: bool) -> Plan:
    """Return the plan for an input of three axes; ``lanes``: how many planes lie side by side, or 0 where none do."""
    windows = geometry.sliding(sizes) if isinstance(geometry, Bins) else geometry
    constants = constants_of(geometry, sizes, constant).astype(np.float64 if double else np.float32)
    if windows is not None and not lanes:
        return _sliding(windows.padded(sizes), sizes, constants)
    plan = _tabulated(geometry, sizes, constants)
    if lanes:
        plan.numbers[staging.UNIT], plan.numbers[staging.GROUP] = lanes, min(LANES, lanes)
    if lanes and windows is not None:
        padded = windows.padded(sizes)
        plan.numbers[staging.STRIDE : staging.STRIDE + 3] = padded.stride
        for axis in range(3):
            low, high = _whole(padded, sizes, axis)
            plan.numbers[staging.LOW + axis], plan.numbers[staging.HIGH + axis] = low, high
    return plan


def placed_plan(sizes: Ints, positions: list[NDArray[np.int32]], constant: Constant, dtype: type) -> Plan:
    """Return the plan for windows drawn for each plane: ``positions`` has (planes, windows, kernel) for each axis."""
    outputs, kernel = tuple(p.shape[1] for p in positions), tuple(p.shape[2] for p in positions)
    planes = max(len(p) for p in positions)
    flat = [np.broadcast_to(p, (planes, *p.shape[1:])).reshape(planes, p.shape[1] * p.shape[2]) for p in positions]
    tables = np.ascontiguousarray(np.concatenate(flat, axis=1)).reshape(-1)
    # the same for all: drawn windows lie in the input but for their ends
    constants: NDArray[Any] = np.full(int(np.prod(outputs)), 0 if constant == FIRST_TAP else np.prod(kernel), dtype)
    return _gathered(sizes, outputs, kernel, tables, planes, constants)


def _whole(windows: Windows, sizes: Ints, axis: int) -> tuple[int, int]:
    """Return the range of windows along an axis that lie inside the input."""
    inside = (windows.positions(sizes)[axis] != ABSENT).all(axis=1).nonzero()[0]
    return (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)


def _tabulated(geometry: Geometry, sizes: Ints, constants: NDArray[Any]) -> Plan:
    positions = geometry.positions(sizes)
    outputs, kernel = tuple(p.shape[0] for p in positions), tuple(p.shape[1] for p in positions)
    tables = np.concatenate([p.reshape(-1) for p in positions])
    return _gathered(sizes, outputs, kernel, tables, 1, constants)


def _gathered(
    sizes: Ints, outputs: Ints, kernel: Ints, tables: NDArray[np.int32], planes: int, constants: NDArray[Any]
) -> Plan:
    taps, unit = int(np.prod(kernel)), int(np.prod(outputs))
    numbers = np.zeros(staging.NUMBERS, np.int64)
    numbers[staging.INPUT : staging.INPUT + 3] = sizes
    numbers[staging.OUTPUT : staging.OUTPUT + 3] = outputs
    numbers[staging.PART : staging.PART + 3] = outputs
    numbers[staging.RESIDUES : staging.RESIDUES + 3] = kernel
    numbers[staging.KERNEL : staging.KERNEL + 3] = kernel
    numbers[staging.UNIT], numbers[staging.TAPS], numbers[staging.TABLES] = unit, taps, planes
    group = _group(unit, taps * unit)
    numbers[staging.GROUP] = group
    return Plan(numbers, np.arange(taps, dtype=np.int64) * group * unit, tables, constants)


def _sliding(windows: Windows, sizes: Ints, constants: NDArray[Any]) -> Plan:
    outputs = windows.output(sizes)
    offsets = [np.arange(k) * d for k, d in zip(windows.kernel, windows.dilation, strict=True)]
    residues = [np.unique(o % s) for o, s in zip(offsets, windows.stride, strict=True)]
    parts = [o + int(shift[-1]) // s for o, shift, s in zip(outputs, offsets, windows.stride, strict=True)]
    unit = int(np.prod(parts))
    numbers = np.zeros(staging.NUMBERS, np.int64)
    for place, entries in (
        (staging.INPUT, sizes),
        (staging.OUTPUT, outputs),
        (staging.STRIDE, windows.stride),
        (staging.PART, parts),
        (staging.RESIDUES, [len(r) for r in residues]),
        (staging.KERNEL, windows.kernel),
    ):
        numbers[place : place + 3] = entries
    numbers[staging.UNIT], numbers[staging.SLIDING], numbers[staging.TABLES] = unit, 1, 1
    numbers[staging.TAPS] = int(np.prod(windows.kernel))
    group = _group(unit, unit * int(np.prod([len(r) for r in residues])))
    numbers[staging.GROUP] = group
    part_of, shift = np.zeros(1, np.int64), np.zeros(1, np.int64)
    for axis in range(3):
        own = np.searchsorted(residues[axis], offsets[axis] % windows.stride[axis])
        part_of = (part_of[:, None] * len(residues[axis]) + own).reshape(-1)
        shift = (shift[:, None] * parts[axis] + offsets[axis] // windows.stride[axis]).reshape(-1)
    bounds = [
        _inside(int(r) - windows.before[axis], windows.stride[axis], parts[axis], sizes[axis])
        for axis in range(3)
        for r in residues[axis]
    ]
    return Plan(numbers, part_of * group * unit + shift, np.array(bounds, np.int32).reshape(-1), constants)


def _inside(shift: int, stride: int, part: int, size: int) -> tuple[int, int, int]:
    """Return ``shift`` and the range of q in [0, part) for which 0 <= stride q + shift < size."""
    low = min(max(0, -(shift // stride)), part)
    return shift, low, max(low, min(part, (size - 1 - shift) // stride + 1))


def _group(unit: int, staged: int) -> int:
    """Return how many planes are worked on together."""
    wanted = -(-LEAST_RUN // max(unit, 1))
    return max(1, min(wanted, MOST_STAGED // max(staged, 1)))
