"""The loops that every pooling variant shares; the names in capitals are bound to one variant by ``specialise``.

A span is a row of windows: (how many, how far apart their first taps lie, where the first one's number is stored, how
far apart those are stored, how many planes or windows lie side by side, where the constant of the first one is found).
What lies side by side is a run of numbers for each tap, and is worked on a register at a time, the last of which may be
masked. The constant is one for each window of the span; or, if its place is negative, one for each that lies side by
side.
"""

from __future__ import annotations

from typing import Any

from gradus.kernels.register_memory import before, first, lanes, read, read_whole_numbers, write
from gradus.kernels.registers import as_registers, chosen
from gradus.kernels.window_pooling.variant import Tap, Window, unused

# what ``specialise`` binds
SECOND, TWO_PASSES, ASIDE, WINNER, EXTRA, NEEDS_INPUT, OF_VALUE = (False,) * 7
START = FOLD = TURN = FOLD_AGAIN = FINISH = SHARE = TAP_AT = PLACE_AT = REDUCED = PULLED = unused


def tap_at(other: Any, weights: Any, t: int, at: int, mask: Any) -> Any:
    """Return tap t, which lies at ``at``."""
    second = read(other, at, mask) if SECOND else as_registers(weights, (0.0,))[0]
    return Tap(weights.dtype.type(t), weights[t], second)


def place_at(given: Any, at: Any, mask: Any) -> Any:
    """Return what depends on a register's windows alone: their constants, and the numbers given for them.

    at : (where their numbers are stored, where their constants are, whether it is one for all)
    """
    constants, extras = given
    place, own, common = at
    constant = as_registers(constants, (constants[own],))[0] if common else read(constants, own, mask)
    return constant, read(extras, place, mask) if EXTRA else as_registers(constants, (0.0,))[0]


def reduced(inputs: Any, taps: Any, numbers: Any, shift: int, at: Any, mask: Any, given: Any, found: Any) -> None:
    """Fold a register of windows, whose taps lie ``shift`` behind the first window's."""
    source, other = inputs
    starts, weights = taps
    value, aside, winner = found
    constant, extra = PLACE_AT(given, at, mask)
    state = as_registers(value, START(numbers))
    for t in range(len(starts)):
        if starts[t] >= 0:
            tap = TAP_AT(other, weights, t, starts[t] + shift, mask)
            state = as_registers(value, FOLD(state, read(source, starts[t] + shift, mask), tap, numbers))
    if TWO_PASSES:
        state = as_registers(value, TURN(state, extra, numbers))
        for t in range(len(starts)):
            if starts[t] >= 0:
                tap = TAP_AT(other, weights, t, starts[t] + shift, mask)
                state = as_registers(value, FOLD_AGAIN(state, read(source, starts[t] + shift, mask), tap, numbers))
    finished = as_registers(value, FINISH(state, constant, extra, numbers))
    write(value, at[0], mask, finished[0])
    if ASIDE and len(aside):
        write(aside, at[0], mask, finished[1])
    if WINNER and len(winner):
        write(winner, at[0], mask, finished[2])


def reduce_span(
    source: Any, other: Any, starts: Any, span: Any, weights: Any, settings: Any, given: Any, found: Any
) -> None:
    """Fold the taps of a span of windows, of whose first tap t is the run at ``starts[t]`` (none if negative).

    given : (constants, extra numbers); found : (value, aside, winner), the last two empty where nobody wants them
    """
    windows, step, first_place, apart, length, first_constant = span
    kind, width, common = weights.dtype.type, lanes(source), first_constant >= 0
    inputs, taps, numbers = (source, other), (starts, weights), (kind(settings[0]), kind(settings[1]), weights[0])
    whole = length - length % width
    for window in range(windows):
        shift, place = window * step, first_place + window * apart
        for begin in range(0, whole, width):
            at = (place + begin, first_constant + window if common else begin, common)
            REDUCED(inputs, taps, numbers, shift + begin, at, None, given, found)
        if whole < length:
            at = (place + whole, first_constant + window if common else whole, common)
            mask = first(source, length - whole)
            REDUCED(inputs, taps, numbers, shift + whole, at, mask, given, found)


def pulled(inputs: Any, taps: Any, numbers: Any, shift: int, at: Any, mask: Any, given: Any, found: Any) -> None:
    """Add what each tap of a register of windows gets; see ``reduced``, and ``pull_span`` for the rest."""
    source, other = inputs
    starts, weights = taps
    upstreams, values, asides, winners, gradient, other_gradient = found
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
    )
    some = upstream != 0.0
    for t in range(len(starts)):
        if starts[t] >= 0:
            own = starts[t] + shift
            tap = TAP_AT(other, weights, t, own, mask)
            share = as_registers(
                weights, SHARE(read(source, own, mask) if NEEDS_INPUT else nothing, tap, known, numbers)
            )
            write(gradient, own, mask, before(gradient, own, mask) + chosen(some, share[0], nothing))
            if SECOND:
                write(other_gradient, own, mask, before(other_gradient, own, mask) + chosen(some, share[1], nothing))


def pull_span(
    source: Any,
    other: Any,
    starts: Any,
    span: Any,
    weights: Any,
    settings: Any,
    given: Any,
    found: Any,
    gradients: Any,
) -> None:
    """Add what each tap of a span of windows gets of the upstream gradient, tap after tap.

    given : (constants, extra numbers); found : (upstream, value, aside, winner); gradients : of x and other
    """
    windows, step, first_place, apart, length, first_constant = span
    kind, width, common = weights.dtype.type, lanes(weights), first_constant >= 0
    inputs, taps, numbers = (source, other), (starts, weights), (kind(settings[0]), kind(settings[1]), weights[0])
    whole, everything = length - length % width, (*found, *gradients)
    for window in range(windows):
        shift, place = window * step, first_place + window * apart
        for begin in range(0, whole, width):
            at = (place + begin, first_constant + window if common else begin, common)
            PULLED(inputs, taps, numbers, shift + begin, at, None, given, everything)
        if whole < length:
            at = (place + whole, first_constant + window if common else whole, common)
            mask = first(weights, length - whole)
            PULLED(inputs, taps, numbers, shift + whole, at, mask, given, everything)
