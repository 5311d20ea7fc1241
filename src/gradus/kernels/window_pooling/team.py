"""Parts of one task for the threads that torch's own operations run on, which take them up without Python.

A thread of Python's has to be woken and then to wait for Python's lock, which takes longer than a layer of a megabyte.
The threads of OpenMP, which torch has just used, are told by one call in C; and what it costs to wake them late is
little, because parts become smaller towards the end and whoever is free takes the next.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from gradus.kernels.compilation import compiled
from gradus.kernels.large_pages import CLEARED, address_of_advise
from gradus.kernels.threads import LEAST_OPERATIONS, each_part
from gradus.kernels.tiles import WORD
from gradus.kernels.window_pooling.addresses import called_from_python, line_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# a forked process has OpenMP's records of its threads, but not the threads
_PROCESS = os.getpid()

# where a job keeps what: the next part, how many there are, where their first units lie and the end of the last, the
# address of what runs a part, its first two arguments, that of madvise(2) and its advice, and how many ranges it clears
NEXT, PARTS, STOPS, ENTER, PLACES, SETTINGS, ADVISE, ADVICE, RANGES = range(9)
# each range begins at an address, and has so many bytes for each unit
MOST_RANGES = 4
SIZE = RANGES + 1 + 2 * MOST_RANGES
PAGE = 4096
_BODY = types.void(types.int64)
_Job = ctypes.c_int64 * SIZE


def _taken(typing: Any, line: Any) -> Any:
    """Return the first number of a line after adding 1 to it, as no other thread does meanwhile."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.atomic_rmw("add", data, ir.Constant(WORD, 1), "seq_cst")

    return types.int64(line), generate


def _called(typing: Any, address: Any, arguments: Any) -> Any:
    """Call the function of whole numbers that lies at an address."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        count = len(signature.args[1])
        values = [builder.extract_value(given[1], place) for place in range(count)]
        kind = ir.FunctionType(ir.VoidType(), [WORD] * count)
        builder.call(builder.inttoptr(given[0], kind.as_pointer()), values)
        return context.get_dummy_value()

    return types.void(types.int64, types.UniTuple(types.int64, len(arguments))), generate


_take: Any = intrinsic(_taken)
_call: Any = intrinsic(_called)


def _work(address: int) -> None:
    """Run parts of the job at an address until none is left."""
    job = line_at(address, SIZE, np.int64)
    stops = line_at(job[STOPS], job[PARTS] + 1, np.int64)
    part = _take(job)
    while part < job[PARTS]:
        first, last = stops[part], stops[part + 1]
        for number in range(job[RANGES]):
            begin, each = job[RANGES + 1 + 2 * number], job[RANGES + 2 + 2 * number]
            low, high = (begin + first * each) // PAGE * PAGE, -(-(begin + last * each) // PAGE) * PAGE
            _call(job[ADVISE], (low, high - low, job[ADVICE]))
        _call(job[ENTER], (job[PLACES], job[SETTINGS], first, last))
        part = _take(job)


class Stops:
    """Where the parts of some units of work begin, and where the last ends, in memory that compiled code reads."""

    def __init__(self, stops: Sequence[int]) -> None:
        self._memory = (ctypes.c_int64 * len(stops))(*stops)
        self.address, self.parts = ctypes.addressof(self._memory), len(stops) - 1


def even(units: int, threads: int) -> list[int]:
    """Return where one part for each thread begins, and where the last ends."""
    parts = max(1, min(threads, units))
    return [units * part // parts for part in range(parts + 1)]


def guided(units: int, threads: int) -> list[int]:
    """Return where parts begin of which each is a share of what is left before it, and where the last ends."""
    stops = [0]
    while stops[-1] < units:
        left = units - stops[-1]
        stops.append(stops[-1] + -(-left // (2 * threads if threads > 1 else 1)))
    return stops


def run(enter: int, where: tuple[int, int], stops: Stops, ranges: Sequence[tuple[int, int]], threads: int) -> None:
    """Call ``enter(*where, first, last)`` for each part, by whichever of ``threads`` threads is free.

    Parameters
    ----------
    enter : the address of a compiled function of four whole numbers
    where : its first two arguments
    ranges : of memory whose pages the system is to clear first: the address, and how many bytes each unit has
    """
    advise = address_of_advise() if ranges else 0
    given = [place for pair in ranges for place in pair]
    job = _Job(0, stops.parts, stops.address, enter, *where, advise, CLEARED, len(ranges) if advise else 0, *given)
    work, parallel = _compiled(), _parallel()
    address = ctypes.addressof(job)
    if threads < 2:
        work(address)
    elif parallel is None or os.getpid() != _PROCESS:
        each_part(range(threads), lambda _: work(address), threads * LEAST_OPERATIONS)
    else:
        parallel(work.address, address, threads, 0)


@cache
def _compiled() -> Any:
    return called_from_python(compiled(_BODY)(_work), _BODY)


@cache
def _parallel() -> Callable[[int, int, int, int], None] | None:
    """Return what has a function of C run by a team of OpenMP's threads, or None where torch has another one's."""
    if sys.platform != "linux":
        return None
    found: Any = getattr(ctypes.CDLL(None), "GOMP_parallel", None)
    if found is not None:
        found.argtypes, found.restype = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint), None
    parallel: Callable[[int, int, int, int], None] | None = found
    return parallel
