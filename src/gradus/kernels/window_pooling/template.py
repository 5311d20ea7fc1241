"""The loops that every pooling variant shares; the names in capitals are bound to one variant by ``specialise``.

A span is a row of windows: (how many, how far apart their first taps lie, where the first one's number is stored, how
far apart those are stored, where the constant of the first one is found). What lies side by side is a run of numbers
for each tap, and is worked on a register at a time, the last of which may be masked. The constant is one for each
window of the span; or, if its place is negative, one for each that lies side by side.

The origin of many spans is (how far the taps lie behind their starts, the numbers behind their places, how many planes
or windows lie side by side, whether values go past the cache: where they are many, so that memory need not be read
before it is written; they then begin with lines of memory).
"""

from __future__ import annotations

from typing import Any

from gradus.kernels.register_memory import (
    add_scattered,
    before,
    first,
    lanes,
    read,
    read_whole_numbers,
    write,
    write_past_the_cache,
)
from gradus.kernels.registers import as_registers, chosen
from gradus.kernels.window_pooling.variant import Tap, Window, unused

# where a span keeps what
WINDOWS, STEP, PLACE, APART, CONSTANT = range(5)

# what ``specialise`` binds
SECOND, TWO_PASSES, ASIDE, WINNER, EXTRA, NEEDS_INPUT, OF_VALUE, LEARNS, RECALLS = (False,) * 9
START = FOLD = TURN = FOLD_AGAIN = FINISH = SHARE = FOLDED = WEIGHT_AT = TAP_AT = PLACE_AT = ADD_TO = WORK = unused


def weight_of_tap(source: Any, taps: Any, own: Any, t: int, mask: Any) -> Any:
    """Return tap t's weight, and its number."""
    weights = taps[1]
    return weights[t], weights.dtype.type(t)


def weight_of_rank(source: Any, taps: Any, own: Any, t: int, mask: Any) -> Any:
    """Return the weight of tap t's rank, and the rank: how many values are larger, or equal and come earlier.

    A comparison with each other tap, as a sorting network takes in all for few taps, leaves each rank where its tap is,
    for any number of taps. NaN comes first, several of them all at rank 0.
    """
    starts, weights = taps
    span, shift = own
    nothing = as_registers(weights, (0.0,))[0]
    x, rank = read(source, starts[span, t] + shift, mask), nothing
    # neither holds for NaN, which is counted
    for earlier in range(t):
        rank = chosen(x > read(source, starts[span, earlier] + shift, mask), rank, rank + 1.0)
    for later in range(t + 1, starts.shape[1]):
        rank = chosen(x >= read(source, starts[span, later] + shift, mask), rank, rank + 1.0)
    rank, weight = chosen(x == x, rank, nothing), nothing
    for place in range(len(weights)):
        # a median has one or two
        if weights[place] != 0.0:
            weight = chosen(rank == weights.dtype.type(place), weights[place], weight)
    return weight, rank


def add_to_tap(sums: Any, slot: Any, register: Any) -> None:
    """Add a register to the sums of a tap's weight."""
    at = int(slot) * lanes(sums)
    write(sums, at, None, before(sums, at, None) + register)


def add_to_rank(sums: Any, slot: Any, register: Any) -> None:
    """Add a register to the sums of the weights of its places' ranks."""
    add_scattered(sums, slot, register)


def tap_at(inputs: Any, taps: Any, own: Any, t: int, mask: Any) -> Any:
    """Return tap t of the windows of a register."""
    source, other = inputs
    second = read(other, taps[0][own[0], t] + own[1], mask) if SECOND else as_registers(taps[1], (0.0,))[0]
    weight, slot = WEIGHT_AT(source, taps, own, t, mask)
    return Tap(taps[1].dtype.type(t), weight, second, slot)


def folded(inputs: Any, taps: Any, numbers: Any, own: Any, given: Any) -> Any:
    """Return what the taps of a register of windows come to; given : (the numbers for these windows, mask)."""
    source, (starts, weights) = inputs[0], taps
    (span, shift), (extra, mask) = own, given
    state = as_registers(weights, START(numbers))
    for t in range(starts.shape[1]):
        if starts[span, t] >= 0:
            tap = TAP_AT(inputs, taps, own, t, mask)
            state = as_registers(weights, FOLD(state, read(source, starts[span, t] + shift, mask), tap, numbers))
    if TWO_PASSES:
        state = as_registers(weights, TURN(state, extra, numbers))
        for t in range(starts.shape[1]):
            if starts[span, t] >= 0:
                tap = TAP_AT(inputs, taps, own, t, mask)
                x = read(source, starts[span, t] + shift, mask)
                state = as_registers(weights, FOLD_AGAIN(state, x, tap, numbers))
    return state


def place_at(given: Any, at: Any, mask: Any) -> Any:
    """Return what depends on a register's windows alone: their constants, and the numbers given for them.

    at : (where their numbers are stored, where their constants are, whether it is one for all, whether values go past
        the cache)
    """
    constants, extras = given
    place, own, common, _ = at
    constant = as_registers(constants, (constants[own],))[0] if common else read(constants, own, mask)
    return constant, read(extras, place, mask) if EXTRA else as_registers(constants, (0.0,))[0]


def reduced(inputs: Any, taps: Any, numbers: Any, own: Any, at: Any, mask: Any, given: Any, found: Any) -> None:
    """Fold a register of windows; own : (number of the span, how far the taps lie behind its starts).

    found : (value, aside, winner), the last two empty where nobody wants them
    """
    value, aside, winner = found
    constant, extra = PLACE_AT(given, at, mask)
    state = FOLDED(inputs, taps, numbers, own, (extra, mask))
    finished = as_registers(value, FINISH(state, constant, extra, numbers))
    if at[3]:
        write_past_the_cache(value, at[0], finished[0])
    else:
        write(value, at[0], mask, finished[0])
    if ASIDE and len(aside):
        write(aside, at[0], mask, finished[1])
    if WINNER and len(winner):
        write(winner, at[0], mask, finished[2])


def pulled(inputs: Any, taps: Any, numbers: Any, own: Any, at: Any, mask: Any, given: Any, found: Any) -> None:
    """Add what each tap of a register of windows gets; see ``reduced``.

    found : (upstream, value, aside, winner, gradient of x, gradient of other, sums of each weight's gradient, which are
        added to, or empty)
    """
    source = inputs[0]
    starts, weights = taps
    span, shift = own
    upstreams, values, asides, winners, gradient, other_gradient, sums = found
    constant, extra = PLACE_AT(given, at, mask)
    nothing = as_registers(weights, (0.0,))[0]
    upstream = read(upstreams, at[0], mask)
    known = Window(
        upstream,
        read(values, at[0], mask) if OF_VALUE else nothing,
        read(asides, at[0], mask) if ASIDE else nothing,
        read_whole_numbers(winners, at[0], mask, weights) if WINNER else nothing,
        constant,
        extra,
        FOLDED(inputs, taps, numbers, own, (extra, mask)) if RECALLS else as_registers(weights, START(numbers)),
    )
    some = upstream != 0.0
    for t in range(starts.shape[1]):
        if starts[span, t] >= 0:
            place = starts[span, t] + shift
            x = nothing
            if NEEDS_INPUT or (LEARNS and len(sums)):
                x = read(source, place, mask)
            tap = TAP_AT(inputs, taps, own, t, mask)
            share = as_registers(weights, SHARE(x, tap, known, numbers))
            write(gradient, place, mask, before(gradient, place, mask) + chosen(some, share[0], nothing))
            if SECOND:
                write(
                    other_gradient, place, mask, before(other_gradient, place, mask) + chosen(some, share[1], nothing)
                )
            if LEARNS and len(sums):
                ADD_TO(sums, tap.slot, chosen(some, share[-1], nothing))


def over_spans(
    source: Any, other: Any, starts: Any, spans: Any, origin: Any, weights: Any, settings: Any, given: Any, found: Any
) -> None:
    """Fold the taps of spans of windows, or share out their gradient: what WORK is bound to, a register at a time.

    starts : (spans, taps), where the run of the first window's tap begins, negative where there is none
    given : (constants, extra numbers); found : what WORK takes, lines that nobody wants empty
    """
    kind, width = weights.dtype.type, lanes(weights)
    inputs, taps, numbers = (source, other), (starts, weights), (kind(settings[0]), kind(settings[1]), weights[0])
    length = origin[2]
    whole = length - length % width
    mask = first(weights, length - whole)
    for span in range(len(spans)):
        common = spans[span, CONSTANT] >= 0
        for window in range(spans[span, WINDOWS]):
            shift = origin[0] + window * spans[span, STEP]
            place = origin[1] + spans[span, PLACE] + window * spans[span, APART]
            constant = spans[span, CONSTANT] + window if common else 0
            for begin in range(0, whole, width):
                at = (place + begin, constant if common else begin, common, origin[3] != 0)
                WORK(inputs, taps, numbers, (span, shift + begin), at, None, given, found)
            if whole < length:
                at = (place + whole, constant if common else whole, common, False)
                WORK(inputs, taps, numbers, (span, shift + whole), at, mask, given, found)
