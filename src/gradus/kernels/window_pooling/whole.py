"""Windows of four or nine taps that are all there, folded in registers: no state goes through memory.

The taps are written out one by one, for LLVM turns a loop over windows into vector instructions only where no loop is
inside. The names in capitals are bound by ``specialise``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.kernels.compilation import compiled
from gradus.kernels.window_pooling.access import read, write
from gradus.kernels.window_pooling.variant import Tap, unused

STATES = 1
SECOND, TWO_PASSES, ASIDE, WINNER = (False,) * 4
START = FOLD = TURN = FOLD_AGAIN = FINISH = STEP = STEP_AGAIN = WINDOW = unused


@compiled(inline="always")
def first_four(line: Any) -> Any:
    """Return the first four entries."""
    return line[0], line[1], line[2], line[3]


@compiled(inline="always")
def first_nine(line: Any) -> Any:
    """Return the first nine entries."""
    return line[0], line[1], line[2], line[3], line[4], line[5], line[6], line[7], line[8]


def step(old: Any, source: Any, other: Any, at: Any, tap: Any, numbers: Any) -> Any:
    """Return the state after the tap that lies at ``at``; tap : (number, weight)."""
    x = read(source, at)
    kind = type(x)
    folded = FOLD(old, x, Tap(kind(tap[0]), tap[1], read(other, at) if SECOND else kind(0)), numbers)
    return kind(folded[0]), kind(folded[1]) if STATES > 1 else old[1], kind(folded[2]) if STATES > 2 else old[2]


def step_again(old: Any, source: Any, other: Any, at: Any, tap: Any, numbers: Any) -> Any:
    """Return the state after a tap of the second pass."""
    x = read(source, at)
    kind = type(x)
    folded = FOLD_AGAIN(old, x, Tap(kind(tap[0]), tap[1], read(other, at) if SECOND else kind(0)), numbers)
    return kind(folded[0]), kind(folded[1]), kind(folded[2])


def window_of_four(
    source: Any, other: Any, places: Any, weights: Any, numbers: Any, e: Any, constant: Any, extra: Any
) -> Any:
    """Return what a window comes to, as ``FINISH`` does."""
    kind = type(constant)
    a, b, c, d = places
    u, v, w, x = weights
    begun = START(numbers)
    old = (kind(begun[0]), kind(begun[1]) if STATES > 1 else kind(0), kind(begun[2]) if STATES > 2 else kind(0))
    old = STEP(old, source, other, a + e, (0, u), numbers)
    old = STEP(old, source, other, b + e, (1, v), numbers)
    old = STEP(old, source, other, c + e, (2, w), numbers)
    old = STEP(old, source, other, d + e, (3, x), numbers)
    if TWO_PASSES:
        turned = TURN(old, extra, numbers)
        old = (kind(turned[0]), kind(turned[1]), kind(turned[2]))
        old = STEP_AGAIN(old, source, other, a + e, (0, u), numbers)
        old = STEP_AGAIN(old, source, other, b + e, (1, v), numbers)
        old = STEP_AGAIN(old, source, other, c + e, (2, w), numbers)
        old = STEP_AGAIN(old, source, other, d + e, (3, x), numbers)
    return FINISH(old, constant, extra, numbers)


def window_of_nine(
    source: Any, other: Any, places: Any, weights: Any, numbers: Any, e: Any, constant: Any, extra: Any
) -> Any:
    """Return what a window comes to, as ``FINISH`` does."""
    kind = type(constant)
    a, b, c, d, f, g, h, i, j = places
    begun = START(numbers)
    old = (kind(begun[0]), kind(begun[1]) if STATES > 1 else kind(0), kind(begun[2]) if STATES > 2 else kind(0))
    old = STEP(old, source, other, a + e, (0, weights[0]), numbers)
    old = STEP(old, source, other, b + e, (1, weights[1]), numbers)
    old = STEP(old, source, other, c + e, (2, weights[2]), numbers)
    old = STEP(old, source, other, d + e, (3, weights[3]), numbers)
    old = STEP(old, source, other, f + e, (4, weights[4]), numbers)
    old = STEP(old, source, other, g + e, (5, weights[5]), numbers)
    old = STEP(old, source, other, h + e, (6, weights[6]), numbers)
    old = STEP(old, source, other, i + e, (7, weights[7]), numbers)
    old = STEP(old, source, other, j + e, (8, weights[8]), numbers)
    if TWO_PASSES:
        turned = TURN(old, extra, numbers)
        old = (kind(turned[0]), kind(turned[1]), kind(turned[2]))
        old = STEP_AGAIN(old, source, other, a + e, (0, weights[0]), numbers)
        old = STEP_AGAIN(old, source, other, b + e, (1, weights[1]), numbers)
        old = STEP_AGAIN(old, source, other, c + e, (2, weights[2]), numbers)
        old = STEP_AGAIN(old, source, other, d + e, (3, weights[3]), numbers)
        old = STEP_AGAIN(old, source, other, f + e, (4, weights[4]), numbers)
        old = STEP_AGAIN(old, source, other, g + e, (5, weights[5]), numbers)
        old = STEP_AGAIN(old, source, other, h + e, (6, weights[6]), numbers)
        old = STEP_AGAIN(old, source, other, i + e, (7, weights[7]), numbers)
        old = STEP_AGAIN(old, source, other, j + e, (8, weights[8]), numbers)
    return FINISH(old, constant, extra, numbers)


def whole_windows(
    source: Any, other: Any, places: Any, weights: Any, numbers: Any, at: Any, given: Any, found: Any
) -> None:
    """Fold windows side by side; at : (how far their taps lie behind the places, where the first is stored, how many).

    given : (constants, extra numbers), one for each; found : (value, aside, winner), the last two perhaps empty
    """
    constants, extras = given
    value, aside, winner = found
    shift, place, size = at
    kind, byte = value.dtype.type, winner.dtype.type
    if (ASIDE and len(aside)) or (WINNER and len(winner)):
        for e in range(size):
            constant, extra = read(constants, e), read(extras, e)
            finished = WINDOW(source, other, places, weights, numbers, shift + e, constant, extra)
            write(value, place + e, kind(finished[0]))
            if ASIDE:
                write(aside, place + e, kind(finished[1]))
            if WINNER:
                # no tap, -1, is 255 as a byte: only integers wrap around
                write(winner, place + e, byte(np.int32(finished[2])))
    else:
        for e in range(size):
            constant, extra = read(constants, e), read(extras, e)
            finished = WINDOW(source, other, places, weights, numbers, shift + e, constant, extra)
            write(value, place + e, kind(finished[0]))
