"""Where Python enters the loops: a task is a line of addresses, so that a call costs microseconds.

A task's numbers are the addresses and lengths of its lines, in the order of their names here, the two addresses of the
variant's function, and its flags. Its settings are the variant's two, and the padding.
"""

from __future__ import annotations

import hashlib
import inspect
from functools import cache
from typing import Any

import numpy as np
from numba import types

from gradus.kernels.compilation import called_by_compiled, compiled
from gradus.kernels.window_pooling import addresses, drivers, images, staging, turning
from gradus.kernels.window_pooling.addresses import called_from_python, line_at, pullback_at, reduction_at
from gradus.kernels.window_pooling.specialise import copied

# the lines of a task
X, OTHER, NUMBERS, STARTS, TABLES, CONSTANTS, WEIGHTS, EXTRA = range(8)
VALUE, ASIDE, WINNER, UPSTREAM, GRADIENT, OTHER_GRADIENT, SUMS = range(8, 15)
LINES = 15
# what follows them
FUNCTION, FLAGS = 2 * LINES, 2 * LINES + 2
SIZE, SETTINGS = 2 * LINES + 3, 3
# what is bound: the driver, and the kinds of numbers and of winners
DRIVE: Any = None
KIND: Any = np.float32
WINNER_KIND: Any = np.uint8
ENTRY = types.void(*(types.int64,) * 4)


@compiled(inline="always")
def _line(task: Any, number: int, kind: Any) -> Any:
    return line_at(task[2 * number], task[2 * number + 1], kind)


@compiled(inline="always")
def _plan(task: Any, kind: Any) -> Any:
    numbers, starts = _line(task, NUMBERS, np.int64), _line(task, STARTS, np.int64)
    return numbers, starts, _line(task, TABLES, np.int32), _line(task, CONSTANTS, kind)


@compiled(inline="always")
def _given(task: Any, settings: Any, kind: Any) -> Any:
    own = (settings[0], settings[1])
    return _line(task, WEIGHTS, kind), own, _line(task, EXTRA, kind), task[FLAGS], settings[2]


def entered_forward(places: int, settings: int, first: int, last: int) -> None:
    """Run a driver forward over the units ``first`` to ``last`` of the task whose numbers lie at ``places``."""
    task, own = line_at(places, SIZE, np.int64), line_at(settings, SETTINGS, np.float64)
    x, other, winner = _line(task, X, KIND), _line(task, OTHER, KIND), _line(task, WINNER, WINNER_KIND)
    found = (_line(task, VALUE, KIND), _line(task, ASIDE, KIND), winner)
    reduce = reduction_at(task[FUNCTION], task[FUNCTION + 1], x, winner)
    DRIVE(reduce, x, other, _plan(task, KIND), _given(task, own, KIND), found, (first, last))


def entered_backward(places: int, settings: int, first: int, last: int) -> None:
    """Run a driver backward, as ``entered_forward`` does forward."""
    task, own = line_at(places, SIZE, np.int64), line_at(settings, SETTINGS, np.float64)
    x, other, winner = _line(task, X, KIND), _line(task, OTHER, KIND), _line(task, WINNER, WINNER_KIND)
    known = (_line(task, UPSTREAM, KIND), _line(task, VALUE, KIND), _line(task, ASIDE, KIND), winner)
    pulled = (_line(task, GRADIENT, KIND), _line(task, OTHER_GRADIENT, KIND), _line(task, SUMS, KIND))
    pull = pullback_at(task[FUNCTION], task[FUNCTION + 1], x, winner)
    DRIVE(pull, x, other, _plan(task, KIND), _given(task, own, KIND), known, pulled, (first, last))


@cache
def entry(direction: str, kind: str, *, double: bool, wide: bool) -> Any:
    """Return the function (places, settings, first, last) of a driver, for float64 or float32, int32 or uint8."""
    driver, number, winner = (
        getattr(drivers, f"{direction}_{kind}"),
        np.dtype("f8" if double else "f4"),
        np.dtype("i4" if wide else "u1"),
    )
    name = f"{driver.__name__}_{number.name}_{winner.name}_{_digest()}"
    known = {"DRIVE": called_by_compiled()(driver), "KIND": number, "WINNER_KIND": winner}
    function = copied(globals()[f"entered_{direction}"], known, name)
    return called_from_python(compiled(ENTRY)(function), ENTRY)


@cache
def _digest() -> str:
    sources = [inspect.getsource(module) for module in (addresses, drivers, images, staging, turning)]
    return hashlib.sha256(repr(sources).encode()).hexdigest()[:16]
