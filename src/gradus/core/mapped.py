"""Arrays that lie in a file and are read as they are used: pages come when touched and go when told to."""

from __future__ import annotations

import mmap
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# of a file, held in memory at a time; the system is asked for the next while one is worked on
CHUNK_BYTES = 67_108_864


def mapping_of(array: Any) -> mmap.mmap | None:
    """Return the mapping whose pages ``array`` is a view of, or None where it lies in memory of its own."""
    while isinstance(array, np.ndarray):
        array = array.base
    return array if isinstance(array, mmap.mmap) else None


def chunks(array: NDArray[Any]) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Yield the rows of a mapped array, some at a time, and drop their pages when the next are asked for.

    No more than two chunks of ``CHUNK_BYTES`` are in memory; a changed copy-on-write mapping keeps its pages.

    Examples
    --------
    >>> [rows for rows, _ in chunks(np.zeros((3, 2)))]
    [slice(0, 3, None)]
    """
    step = max(CHUNK_BYTES // max(array.strides[0], 1), 1) if array.ndim else 1
    for start in range(0, len(array), step):
        rows = slice(start, min(start + step, len(array)))
        _advise(array[rows.stop : rows.stop + step], wanted=True)
        yield rows, array[rows]
        release(array[rows])


def release(rows: NDArray[Any]) -> None:
    """Let go of the pages of some rows of a mapped array; they come back when touched. Nothing for other arrays."""
    _advise(rows, wanted=False)


def gathered(array: NDArray[Any], start: int, stop: int, step: int) -> NDArray[Any]:
    """Return a copy in memory of every ``step``-th row from ``start`` to before ``stop``."""
    copy = np.empty((len(range(start, stop, step)), *array.shape[1:]), array.dtype)
    for rows, chunk in chunks(array[start:stop]):
        first = -rows.start % step
        taken = chunk[first::step]
        at = (rows.start + first) // step
        copy[at : at + len(taken)] = taken
    return copy


def _advise(rows: NDArray[Any], *, wanted: bool) -> None:
    """Have the pages of some rows read ahead, or dropped from memory, where the system takes such advice."""
    mapping = mapping_of(rows)
    if mapping is None or rows.size == 0 or sys.platform != "linux" or (not wanted and _writes_stay_private(rows)):
        return
    base = np.frombuffer(mapping, dtype=np.uint8).ctypes.data
    first, last = rows.ctypes.data - base, rows[-1:].ctypes.data + rows[-1:].nbytes - base
    begin = first - first % mmap.PAGESIZE
    mapping.madvise(mmap.MADV_WILLNEED if wanted else mmap.MADV_DONTNEED, begin, last - begin)


def _writes_stay_private(array: Any) -> bool:
    """Tell whether changes of the array are kept in memory alone, so that dropped pages would lose them."""
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap) and array.mode == "c":
            return True
        array = array.base
    return False
