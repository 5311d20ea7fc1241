"""The loops that every pooling variant shares; the names in capitals are bound to one variant by ``specialise``.

A span is a row of windows: (how many, how far apart their first taps lie, where the first one's number is stored, how
far apart those are stored, how many planes or windows lie side by side, where the constant of the first one is found).
What lies side by side is a run of numbers for each tap, and the inner loops go over it. The constant is one for each
window of the span; or, if its place is negative, one for each that lies side by side.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.kernels.window_pooling.access import before, read, write
from gradus.kernels.window_pooling.variant import Tap, Window, unused
from gradus.kernels.window_pooling.whole import first_four, first_nine

# the state of so many windows stays in the nearest cache while their taps stream by
BLOCK = 512
# windows of so many taps, 2 x 2 and 3 x 3, are folded in registers, by ``whole``, where they are read twice: read once,
# they are folded faster tap by tap, whose comparisons do not wait for each other
FOUR, NINE = 4, 9
# the rows of ``state``: at most three numbers of a state, and the constant of a window
CONSTANT, STATE_ROWS = 3, 4

# what ``specialise`` binds
STATES = 1
SECOND, TWO_PASSES, ASIDE, WINNER, EXTRA, NEEDS_INPUT, OF_VALUE = (False,) * 7
START = FOLD = TURN = FOLD_AGAIN = FINISH = SHARE = WINDOWS_OF_FOUR = WINDOWS_OF_NINE = unused


def reduce_span(
    source: Any,
    other: Any,
    starts: Any,
    span: Any,
    weights: Any,
    settings: Any,
    given: Any,
    found: Any,
    state: Any,
) -> None:
    """Fold the taps of a span of windows, of whose first tap t is the run at ``starts[t]`` (none if negative).

    given : (constants, extra numbers); found : (value, aside, winner), the last two empty where nobody wants them
    """
    windows, step, first_place, apart, length, first_constant = span
    first, second, third = state[0], state[1], state[2]
    constants, extras = given
    value, aside, winner = found
    kind, byte = state.dtype.type, winner.dtype.type
    numbers = (kind(settings[0]), kind(settings[1]), weights[0])
    nothing = kind(0)
    all_there = starts.min() >= 0
    for window in range(windows):
        for begin in range(0, length, BLOCK):
            size = min(BLOCK, length - begin)
            place = first_place + window * apart + begin
            constant = constants[begin : begin + size]
            if first_constant >= 0:
                constant = state[CONSTANT]
                constant[:size] = constants[first_constant + window]
            extra = extras[place : place + size] if EXTRA else first
            if TWO_PASSES and all_there and (len(starts) == FOUR or len(starts) == NINE):
                at, own = (window * step + begin, place, size), (constant, extra)
                if len(starts) == FOUR:
                    WINDOWS_OF_FOUR(source, other, first_four(starts), first_four(weights), numbers, at, own, found)
                else:
                    WINDOWS_OF_NINE(source, other, first_nine(starts), first_nine(weights), numbers, at, own, found)
                continue
            for e in range(size):
                at_start = START(numbers)
                write(first, e, kind(at_start[0]))
                if STATES > 1:
                    write(second, e, kind(at_start[1]))
                if STATES > 2:
                    write(third, e, kind(at_start[2]))
            for repetition in range(2 if TWO_PASSES else 1):
                if TWO_PASSES and repetition == 1:
                    for e in range(size):
                        turned = TURN((before(first, e), before(second, e), before(third, e)), read(extra, e), numbers)
                        write(first, e, kind(turned[0]))
                        write(second, e, kind(turned[1]))
                        write(third, e, kind(turned[2]))
                for t in range(len(starts)):
                    if starts[t] < 0:
                        continue
                    at = starts[t] + window * step + begin
                    for e in range(size):
                        tap = Tap(kind(t), weights[t], read(other, at + e) if SECOND else nothing)
                        old = (before(first, e), before(second, e), before(third, e))
                        if TWO_PASSES and repetition == 1:
                            folded = FOLD_AGAIN(old, read(source, at + e), tap, numbers)
                            write(first, e, kind(folded[0]))
                            write(second, e, kind(folded[1]))
                            write(third, e, kind(folded[2]))
                        else:
                            folded = FOLD(old, read(source, at + e), tap, numbers)
                            write(first, e, kind(folded[0]))
                            if STATES > 1:
                                write(second, e, kind(folded[1]))
                            if STATES > 2:
                                write(third, e, kind(folded[2]))
            if (ASIDE and len(aside)) or (WINNER and len(winner)):
                for e in range(size):
                    last = (read(first, e), read(second, e), read(third, e))
                    finished = FINISH(last, read(constant, e), read(extra, e), numbers)
                    write(value, place + e, kind(finished[0]))
                    if ASIDE:
                        write(aside, place + e, kind(finished[1]))
                    if WINNER:
                        write(winner, place + e, byte(np.int32(finished[2])))
            else:
                for e in range(size):
                    last = (read(first, e), read(second, e), read(third, e))
                    write(value, place + e, kind(FINISH(last, read(constant, e), read(extra, e), numbers)[0]))


def pull_span(
    source: Any,
    other: Any,
    starts: Any,
    span: Any,
    weights: Any,
    settings: Any,
    given: Any,
    found: Any,
    pulled: Any,
    state: Any,
) -> None:
    """Add what each tap of a span of windows gets of the upstream gradient, tap after tap.

    given : (constants, extra numbers); found : (upstream, value, aside, winner); pulled : gradients of x and other
    """
    windows, step, first_place, apart, length, first_constant = span
    constants, extras = given
    upstreams, values, asides, winners = found
    gradient, other_gradient = pulled
    kind = state.dtype.type
    numbers = (kind(settings[0]), kind(settings[1]), weights[0])
    nothing = kind(0)
    for window in range(windows):
        for begin in range(0, length, BLOCK):
            size = min(BLOCK, length - begin)
            place = first_place + window * apart + begin
            constant = constants[begin : begin + size]
            if first_constant >= 0:
                constant = state[CONSTANT]
                constant[:size] = constants[first_constant + window]
            for t in range(len(starts)):
                if starts[t] < 0:
                    continue
                at = starts[t] + window * step + begin
                weight = weights[t]
                for e in range(size):
                    upstream = read(upstreams, place + e)
                    known = Window(
                        upstream,
                        read(values, place + e) if OF_VALUE else nothing,
                        read(asides, place + e) if ASIDE else nothing,
                        kind(read(winners, place + e)) if WINNER else nothing,
                        read(constant, e),
                        read(extras, place + e) if EXTRA else nothing,
                    )
                    tap = Tap(kind(t), weight, read(other, at + e) if SECOND else nothing)
                    share = SHARE(read(source, at + e) if NEEDS_INPUT else nothing, tap, known, numbers)
                    if SECOND:
                        write(gradient, at + e, before(gradient, at + e) + kind(share[0] if upstream != 0 else 0))
                        of_other = kind(share[1] if upstream != 0 else 0)
                        write(other_gradient, at + e, before(other_gradient, at + e) + of_other)
                    else:
                        write(gradient, at + e, before(gradient, at + e) + kind(share if upstream != 0 else 0))
