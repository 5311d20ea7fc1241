"""The loops over planes, or over windows of lanes, that every variant is called from; compiled once for each type."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import types

from gradus.kernels.compilation import compiled
from gradus.kernels.window_pooling import staging
from gradus.kernels.window_pooling.signatures import SETTINGS, number, pull_signature, reduce_signature
from gradus.kernels.window_pooling.staging import GROUP, OUTPUT, TAPS, UNIT
from gradus.kernels.window_pooling.template import ASIDES, BLOCK, CONSTANTS, EXTRAS, RUN_ROWS, UPSTREAM, VALUE, WINNERS

if TYPE_CHECKING:
    from gradus.kernels.window_pooling.variant import Variant

# bits of ``flags``: what a variant reads and gives
SECOND, ASIDE, WINNER, EXTRA, INPUT, OF_VALUE = 1, 2, 4, 8, 16, 32


def forward_planes(reduce: Any, x: Any, other: Any, plan: Any, given: Any, found: Any, units: Any) -> None:
    """Pool the planes ``first`` to ``last`` of an input whose planes are contiguous.

    plan : (numbers, starts, tables, constants); given : (weights, settings, extra); found : (value, aside, winner)
    """
    numbers, starts, tables, constants = plan
    weights, settings, extra, flags, padding = given
    first, last = units
    value, aside, winner = found
    group, unit = numbers[GROUP], numbers[UNIT]
    kind = x.dtype.type
    parts = numbers[staging.RESIDUES] * numbers[staging.RESIDUES + 1] * numbers[staging.RESIDUES + 2]
    staged = np.full(parts * group * unit, kind(padding), x.dtype)
    second = np.full(parts * group * unit if flags & SECOND else 0, kind(padding), x.dtype)
    run = np.zeros((RUN_ROWS, staging.length(numbers, group)), x.dtype)
    state = np.zeros((3, BLOCK), x.dtype)
    for place in range(group):
        staging.spread(constants, 0, 1, run[CONSTANTS, place * unit :], numbers, 1)
    for plane in range(first, last, group):
        count = min(group, last - plane)
        staging.stage(x, plane, count, staged, numbers, tables, padding)
        if flags & SECOND:
            staging.stage(other, plane, count, second, numbers, tables, padding)
        if flags & EXTRA:
            staging.spread(extra, plane, count, run[EXTRAS], numbers, 0)
        reduce(staged, second, starts, weights, settings, run, state, staging.length(numbers, count))
        staging.collect(run[VALUE], value, plane, count, numbers)
        if flags & ASIDE and len(aside):
            staging.collect(run[ASIDES], aside, plane, count, numbers)
        if flags & WINNER and len(winner):
            staging.collect(run[WINNERS], winner, plane, count, numbers)


def backward_planes(pull: Any, x: Any, other: Any, plan: Any, given: Any, found: Any, pulled: Any, units: Any) -> None:
    """Set the gradients of the planes ``first`` to ``last``.

    found : (upstream, value, aside, winner); pulled : (gradient of x, gradient of other)
    """
    numbers, starts, tables, constants = plan
    weights, settings, extra, flags, padding = given
    first, last = units
    upstream, value, aside, winner = found
    gradient, other_gradient = pulled
    group, unit = numbers[GROUP], numbers[UNIT]
    kind = x.dtype.type
    size = numbers[staging.RESIDUES] * numbers[staging.RESIDUES + 1] * numbers[staging.RESIDUES + 2] * group * unit
    staged = np.full(size if flags & INPUT else 0, kind(padding), x.dtype)
    second = np.full(size if flags & SECOND else 0, kind(padding), x.dtype)
    staged_gradient = np.empty(size, x.dtype)
    second_gradient = np.empty(size if flags & SECOND else 0, x.dtype)
    run = np.zeros((RUN_ROWS, staging.length(numbers, group)), x.dtype)
    for place in range(group):
        staging.spread(constants, 0, 1, run[CONSTANTS, place * unit :], numbers, 1)
    for plane in range(first, last, group):
        count = min(group, last - plane)
        if flags & INPUT:
            staging.stage(x, plane, count, staged, numbers, tables, padding)
        if flags & SECOND:
            staging.stage(other, plane, count, second, numbers, tables, padding)
            second_gradient[:] = 0
        staging.spread(upstream, plane, count, run[UPSTREAM], numbers, 0)
        if flags & OF_VALUE:
            staging.spread(value, plane, count, run[VALUE], numbers, 0)
        if flags & ASIDE:
            staging.spread(aside, plane, count, run[ASIDES], numbers, 0)
        if flags & WINNER:
            staging.spread(winner, plane, count, run[WINNERS], numbers, 0)
        if flags & EXTRA:
            staging.spread(extra, plane, count, run[EXTRAS], numbers, 0)
        staged_gradient[:] = 0
        pull(
            staged,
            second,
            starts,
            weights,
            settings,
            run,
            staged_gradient,
            second_gradient,
            staging.length(numbers, count),
        )
        staging.unstage(staged_gradient, gradient, plane, count, numbers, tables)
        if flags & SECOND:
            staging.unstage(second_gradient, other_gradient, plane, count, numbers, tables)


def forward_lanes(reduce: Any, x: Any, other: Any, plan: Any, given: Any, found: Any, units: Any) -> None:
    """Pool blocks of lanes ``first`` to ``last`` of an input whose channels lie side by side (channels last)."""
    numbers, _, tables, constants = plan
    weights, settings, extra, flags, _ = given
    first, last = units
    value, aside, winner = found
    lanes, block = numbers[UNIT], numbers[GROUP]
    blocks = (lanes + block - 1) // block
    here = np.empty(numbers[TAPS], np.int64)
    run = np.zeros((RUN_ROWS, block), x.dtype)
    state = np.zeros((3, BLOCK), x.dtype)
    kind = winner.dtype.type
    windows = numbers[OUTPUT] * numbers[OUTPUT + 1] * numbers[OUTPUT + 2]
    for unit in range(first, last):
        image, lane = unit // blocks, unit % blocks * block
        size = min(block, lanes - lane)
        for window in range(windows):
            staging.taps_of(window, image, lane, numbers, tables, here)
            at = (image * windows + window) * lanes + lane
            run[CONSTANTS, :size] = constants[window]
            if flags & EXTRA:
                run[EXTRAS, :size] = extra[at : at + size]
            reduce(x, other, here, weights, settings, run, state, size)
            value[at : at + size] = run[VALUE, :size]
            if flags & ASIDE and len(aside):
                aside[at : at + size] = run[ASIDES, :size]
            if flags & WINNER and len(winner):
                for e in range(size):
                    winner[at + e] = kind(run[WINNERS, e])


def backward_lanes(pull: Any, x: Any, other: Any, plan: Any, given: Any, found: Any, pulled: Any, units: Any) -> None:
    """Add to the gradients, which are zeros, of blocks of lanes ``first`` to ``last`` (channels last)."""
    numbers, _, tables, constants = plan
    weights, settings, extra, flags, _ = given
    first, last = units
    upstream, value, aside, winner = found
    gradient, other_gradient = pulled
    lanes, block = numbers[UNIT], numbers[GROUP]
    blocks = (lanes + block - 1) // block
    here = np.empty(numbers[TAPS], np.int64)
    run = np.zeros((RUN_ROWS, block), x.dtype)
    windows = numbers[OUTPUT] * numbers[OUTPUT + 1] * numbers[OUTPUT + 2]
    for unit in range(first, last):
        image, lane = unit // blocks, unit % blocks * block
        size = min(block, lanes - lane)
        for window in range(windows):
            staging.taps_of(window, image, lane, numbers, tables, here)
            at = (image * windows + window) * lanes + lane
            run[CONSTANTS, :size] = constants[window]
            run[UPSTREAM, :size] = upstream[at : at + size]
            if flags & OF_VALUE:
                run[VALUE, :size] = value[at : at + size]
            if flags & ASIDE:
                run[ASIDES, :size] = aside[at : at + size]
            if flags & WINNER:
                for e in range(size):
                    run[WINNERS, e] = winner[at + e]
            if flags & EXTRA:
                run[EXTRAS, :size] = extra[at : at + size]
            pull(x, other, here, weights, settings, run, gradient, other_gradient, size)


@cache
def driver(name: str, double: bool, wide: bool) -> Any:
    """Return a function of this file compiled for float64 or float32, and for winners in int32 or uint8."""
    line, table, integers = (types.Array(kind, 1, "C") for kind in (number(double), types.int32, types.int64))
    winner = types.Array(types.int32 if wide else types.uint8, 1, "C")
    plan = types.Tuple((integers, integers, table, line))
    given = types.Tuple((line, SETTINGS, line, types.int64, types.float64))
    units = types.UniTuple(types.int64, 2)
    found, pulled = types.Tuple((line, line, winner)), types.UniTuple(line, 2)
    arguments: tuple[Any, ...]
    if name.startswith("forward"):
        arguments = (types.FunctionType(reduce_signature(double)), line, line, plan, given, found, units)
    else:
        found = types.Tuple((line, line, line, winner))
        arguments = (types.FunctionType(pull_signature(double)), line, line, plan, given, found, pulled, units)
    return compiled(types.void(*arguments))(globals()[name])


def flags_of(variant: Variant) -> int:
    """Return what ``variant`` reads and gives, as bits."""
    has = (variant.second_input, variant.puts_aside, variant.names_winner, variant.reads_extra)
    return sum(1 << bit for bit, yes in enumerate((*has, variant.reads_input, variant.reads_value)) if yes)
