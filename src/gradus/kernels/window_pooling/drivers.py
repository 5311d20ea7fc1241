"""The loops over planes, or over windows of lanes, that every variant is called from; ``entries`` compiles them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.kernels.compilation import compiled
from gradus.kernels.register_memory import lanes as lanes_of
from gradus.kernels.window_pooling import staging
from gradus.kernels.window_pooling.images import clear_lanes, image_of, one_span, origin_of, spans_of
from gradus.kernels.window_pooling.staging import GROUP, UNIT
from gradus.kernels.window_pooling.turning import apart, fence, goes_past_the_cache, side_by_side

if TYPE_CHECKING:
    from gradus.kernels.window_pooling.variant import Variant

# bits of ``flags``: what a variant reads and gives
SECOND, ASIDE, WINNER, EXTRA, INPUT, OF_VALUE = 1, 2, 4, 8, 16, 32


@compiled()
def sums_of(sums: Any, unit: int, numbers: Any) -> Any:
    """Return the sums of the weights' gradients that are one unit of work's own: a register for each, or none."""
    size = numbers[staging.TAPS] * lanes_of(sums)
    return sums[unit * size : (unit + 1) * size] if len(sums) else sums


def forward_planes(reduce: Any, x: Any, other: Any, plan: Any, given: Any, found: Any, units: Any) -> None:
    """Pool the planes ``first`` to ``last`` of an input whose planes are contiguous.

    plan : (numbers, starts, tables, constants); given : (weights, settings, extra); found : (value, aside, winner)
    """
    numbers, starts, tables, constants = plan
    weights, settings, extra, flags, padding = given
    first, last = units
    value, aside, winner = found
    runs, span = one_span(starts)
    group, unit = numbers[GROUP], numbers[UNIT]
    kind = x.dtype.type
    parts = numbers[staging.RESIDUES] * numbers[staging.RESIDUES + 1] * numbers[staging.RESIDUES + 2]
    staged = np.full(parts * group * unit, kind(padding), x.dtype)
    second = np.full(parts * group * unit if flags & SECOND else 0, kind(padding), x.dtype)
    size = staging.length(numbers, group)
    run = np.zeros((2, size), x.dtype)
    values, asides = np.empty(size, x.dtype), np.empty(size if len(aside) else 0, x.dtype)
    winners = np.empty(size if len(winner) else 0, winner.dtype)
    for place in range(group):
        staging.spread(constants, 0, 1, run[0, place * unit :], numbers, 1)
    for plane in range(first, last, group):
        count = min(group, last - plane)
        staging.stage(x, plane, count, staged, numbers, tables, padding)
        if flags & SECOND:
            staging.stage(other, plane, count, second, numbers, tables, padding)
        if flags & EXTRA:
            staging.spread(extra, plane, count, run[1], numbers, 0)
        origin, own = (0, 0, staging.length(numbers, count), 0), (values, asides, winners)
        reduce(staged, second, runs, span, origin, weights, settings, (run[0], run[1]), own)
        staging.collect(values, value, plane, count, numbers)
        if len(aside):
            staging.collect(asides, aside, plane, count, numbers)
        if len(winner):
            staging.collect(winners, winner, plane, count, numbers)


def backward_planes(pull: Any, x: Any, other: Any, plan: Any, given: Any, found: Any, pulled: Any, units: Any) -> None:
    """Set the gradients of the planes ``first`` to ``last``.

    found : (upstream, value, aside, winner); pulled : (gradient of x, gradient of other, sums of the weights')
    """
    numbers, starts, tables, constants = plan
    weights, settings, extra, flags, padding = given
    first, last = units
    upstream, value, aside, winner = found
    runs, span = one_span(starts)
    gradient, other_gradient, sums = pulled
    group, unit = numbers[GROUP], numbers[UNIT]
    kind = x.dtype.type
    size = numbers[staging.RESIDUES] * numbers[staging.RESIDUES + 1] * numbers[staging.RESIDUES + 2] * group * unit
    staged = np.full(size if flags & INPUT else 0, kind(padding), x.dtype)
    second = np.full(size if flags & SECOND else 0, kind(padding), x.dtype)
    staged_gradient = np.empty(size, x.dtype)
    second_gradient = np.empty(size if flags & SECOND else 0, x.dtype)
    run = np.zeros((5, staging.length(numbers, group)), x.dtype)
    winners = np.zeros(run.shape[1] if flags & WINNER else 0, winner.dtype)
    for place in range(group):
        staging.spread(constants, 0, 1, run[0, place * unit :], numbers, 1)
    for plane in range(first, last, group):
        count = min(group, last - plane)
        if flags & INPUT:
            staging.stage(x, plane, count, staged, numbers, tables, padding)
        if flags & SECOND:
            staging.stage(other, plane, count, second, numbers, tables, padding)
            second_gradient[:] = 0
        staging.spread(upstream, plane, count, run[2], numbers, 0)
        if flags & OF_VALUE:
            staging.spread(value, plane, count, run[3], numbers, 0)
        if flags & ASIDE:
            staging.spread(aside, plane, count, run[4], numbers, 0)
        if flags & WINNER:
            staging.spread(winner, plane, count, winners, numbers, 0)
        if flags & EXTRA:
            staging.spread(extra, plane, count, run[1], numbers, 0)
        staged_gradient[:] = 0
        origin = (0, 0, staging.length(numbers, count), 0)
        learnt = sums_of(sums, plane // group, numbers)
        own = (run[2], run[3], run[4], winners, staged_gradient, second_gradient, learnt)
        pull(staged, second, runs, span, origin, weights, settings, (run[0], run[1]), own)
        staging.unstage(staged_gradient, gradient, plane, count, numbers, tables)
        if flags & SECOND:
            staging.unstage(second_gradient, other_gradient, plane, count, numbers, tables)


def forward_lanes(reduce: Any, x: Any, other: Any, plan: Any, given: Any, found: Any, units: Any) -> None:
    """Pool blocks of lanes ``first`` to ``last`` of an input whose channels lie side by side (channels last)."""
    numbers, constants = plan[0], plan[3]
    weights, settings, extra = given[:3]
    starts, spans = spans_of(numbers, plan[2])
    past_the_cache = goes_past_the_cache(found[0], numbers[UNIT])
    for unit in range(units[0], units[1]):
        origin = (*origin_of(numbers, unit), int(past_the_cache))
        reduce(x, other, starts, spans, origin, weights, settings, (constants, extra), found)
    if past_the_cache:
        fence()


def backward_lanes(pull: Any, x: Any, other: Any, plan: Any, given: Any, found: Any, pulled: Any, units: Any) -> None:
    """Set the gradients of blocks of lanes ``first`` to ``last`` (channels last)."""
    numbers, constants = plan[0], plan[3]
    weights, settings, extra, flags, _ = given
    starts, spans = spans_of(numbers, plan[2])
    for unit in range(units[0], units[1]):
        clear_lanes(pulled[0], numbers, unit)
        if flags & SECOND:
            clear_lanes(pulled[1], numbers, unit)
        lines = (*found, pulled[0], pulled[1], sums_of(pulled[2], unit, numbers))
        pull(x, other, starts, spans, (*origin_of(numbers, unit), 0), weights, settings, (constants, extra), lines)


def forward_tiles(reduce: Any, x: Any, other: Any, plan: Any, given: Any, found: Any, units: Any) -> None:
    """Pool the planes ``first`` to ``last``, a tile of them side by side at a time."""
    numbers, constants = plan[0], plan[3]
    weights, settings, extra, flags, _ = given
    value, aside, winner = found
    lanes, entries, windows = image_of(numbers)
    starts, spans = spans_of(numbers, plan[2])
    tile, second = np.zeros(entries * lanes, x.dtype), np.zeros(entries * lanes if flags & SECOND else 0, x.dtype)
    extras = np.zeros(windows * lanes if flags & EXTRA else 0, x.dtype)
    values, asides = np.empty(windows * lanes, x.dtype), np.empty(windows * lanes if len(aside) else 0, x.dtype)
    winners = np.empty(windows * lanes if len(winner) else 0, winner.dtype)
    for plane in range(units[0], units[1], lanes):
        count = min(lanes, units[1] - plane)
        side_by_side(x, plane, count, entries, tile, lanes)
        if flags & SECOND:
            side_by_side(other, plane, count, entries, second, lanes)
        if flags & EXTRA:
            side_by_side(extra, plane, count, windows, extras, lanes)
        own = (values, asides, winners)
        reduce(tile, second, starts, spans, (0, 0, count, 0), weights, settings, (constants, extras), own)
        apart(values, lanes, value, plane, count, windows)
        if len(aside):
            apart(asides, lanes, aside, plane, count, windows)
        if len(winner):
            apart(winners, lanes, winner, plane, count, windows)


def backward_tiles(pull: Any, x: Any, other: Any, plan: Any, given: Any, found: Any, pulled: Any, units: Any) -> None:
    """Set the gradients of the planes ``first`` to ``last``, a tile of them side by side at a time."""
    numbers, constants = plan[0], plan[3]
    weights, settings, extra, flags, _ = given
    upstream, value, aside, winner = found
    lanes, entries, windows = image_of(numbers)
    starts, spans = spans_of(numbers, plan[2])
    tile = np.zeros(entries * lanes if flags & INPUT else 0, x.dtype)
    second = np.zeros(entries * lanes if flags & SECOND else 0, x.dtype)
    gradient, other_gradient = np.empty(entries * lanes, x.dtype), np.empty(len(second), x.dtype)
    extras = np.zeros(windows * lanes if flags & EXTRA else 0, x.dtype)
    upstreams, values = np.empty(windows * lanes, x.dtype), np.empty(windows * lanes if len(value) else 0, x.dtype)
    asides = np.empty(windows * lanes if len(aside) else 0, x.dtype)
    winners = np.empty(windows * lanes if len(winner) else 0, winner.dtype)
    for plane in range(units[0], units[1], lanes):
        count = min(lanes, units[1] - plane)
        if flags & INPUT:
            side_by_side(x, plane, count, entries, tile, lanes)
        if flags & SECOND:
            side_by_side(other, plane, count, entries, second, lanes)
        if flags & EXTRA:
            side_by_side(extra, plane, count, windows, extras, lanes)
        side_by_side(upstream, plane, count, windows, upstreams, lanes)
        if len(value):
            side_by_side(value, plane, count, windows, values, lanes)
        if len(aside):
            side_by_side(aside, plane, count, windows, asides, lanes)
        if len(winner):
            side_by_side(winner, plane, count, windows, winners, lanes)
        gradient[:] = 0
        other_gradient[:] = 0
        learnt = sums_of(pulled[2], plane // lanes, numbers)
        own = (upstreams, values, asides, winners, gradient, other_gradient, learnt)
        pull(tile, second, starts, spans, (0, 0, count, 0), weights, settings, (constants, extras), own)
        apart(gradient, lanes, pulled[0], plane, count, entries)
        if flags & SECOND:
            apart(other_gradient, lanes, pulled[1], plane, count, entries)


def flags_of(variant: Variant, *, learn: bool) -> int:
    """Return what ``variant`` reads and gives, as bits; ``learn``: whether gradients of weights are wanted."""
    has = (variant.second_input, variant.puts_aside, variant.names_winner, variant.reads_extra)
    return sum(1 << bit for bit, yes in enumerate((*has, variant.reads_input or learn, variant.reads_value)) if yes)
