"""Folding windows, in Triton's language; see ``tiles`` for the names in capitals."""

from __future__ import annotations

import triton.language as tl

from gradus.kernels.window_pooling.cuda.tiles import (
    EXTRA,
    FIELDS,
    FINISH,
    FOLD,
    FOLD_AGAIN,
    KERNEL,
    KIND,
    PADDING,
    RANKS,
    SECOND,
    START,
    SUMMED,
    TAPS,
    TURN,
    TWO_PASSES,
    WEIGHTS,
    WRITTEN_OUT,
    address,
    as_tiles,
    tap_along,
    tile_at,
)
from gradus.kernels.window_pooling.variant import Tap


def weight_of(weights, slot, here):
    """Return the weights of taps, or ranks."""
    return tl.load(weights + (slot if WEIGHTS > 1 else 0 * slot), mask=here, other=0.0).to(KIND)


def value_at(given, windows, t, column, lattice, here):
    """Return the values of tap t of windows, and those of the second input."""
    d, in_depth = tap_along(windows[1], t // (KERNEL[1] * KERNEL[2]), lattice, 0)
    h, in_height = tap_along(windows[2], t // KERNEL[2] % KERNEL[1], lattice, 1)
    w, in_width = tap_along(windows[3], t % KERNEL[2], lattice, 2)
    at = address((windows[0], d, h, w), column, lattice[0])
    inside = here & in_depth & in_height & in_width
    value, second = tl.load(given[0] + at, mask=inside, other=PADDING).to(KIND), 0.0
    if SECOND:
        second = tl.load(given[1] + at, mask=inside, other=PADDING).to(KIND)
    return value, second


def slot_of(x, k, given, windows, column, lattice, here):
    """Return the numbers of the weights of values x at taps k: k itself, or how many of a window come before them.

    The largest comes first, of equal ones the first; NaN comes before all.
    """
    if RANKS:
        rank = 0 * k
        # of more taps than are written out this takes long to compile, and longer to run
        for t in tl.static_range(TAPS):
            value = value_at(given, windows, t, column, lattice, here)[0]
            # neither holds for NaN, which is counted
            rank += (((k > t) & ~(x > value)) | ((k < t) & ~(x >= value))).to(tl.int32)
        return tl.where(x == x, rank, 0)
    return k


def tap_at(given, windows, t, column, lattice, here):
    """Return the values of tap t of windows, and what is known of the tap."""
    value, second = value_at(given, windows, t, column, lattice, here)
    slot, weight = t, 0.0
    if RANKS:
        slot = slot_of(value, tl.zeros_like(value).to(tl.int32) + t, given, windows, column, lattice, here)
    if WEIGHTS > 0:
        weight = weight_of(given[2], slot, True)
    return value, Tap(t * 1.0, weight, second, slot)


def folded(given, windows, column, lattice, numbers, extra, here, ones):
    """Return what the taps of windows come to."""
    state = as_tiles(START(numbers), ones)
    if TAPS <= WRITTEN_OUT:
        for t in tl.static_range(TAPS):
            value, tap = tap_at(given, windows, t, column, lattice, here)
            state = FOLD(state, value, tap, numbers)
    else:
        for t in range(TAPS):
            value, tap = tap_at(given, windows, t, column, lattice, here)
            state = as_tiles(FOLD(state, value, tap, numbers), ones)
    if TWO_PASSES:
        state = as_tiles(TURN(state, extra, numbers), ones)
        if TAPS <= WRITTEN_OUT:
            for t in tl.static_range(TAPS):
                value, tap = tap_at(given, windows, t, column, lattice, here)
                state = FOLD_AGAIN(state, value, tap, numbers)
        else:
            for t in range(TAPS):
                value, tap = tap_at(given, windows, t, column, lattice, here)
                state = as_tiles(FOLD_AGAIN(state, value, tap, numbers), ones)
    return as_tiles(state, ones)


def numbers_of(given):
    """Return the variant's two settings and the first weight."""
    first, second = tl.load(given[3]), tl.load(given[3] + 1)
    return first, second, tl.load(given[2]).to(KIND) if WEIGHTS > 0 else 0.0


def constant_of(given, windows, lattice):
    """Return what depends on the place of windows alone: the product, or the sum, of a number for each axis."""
    d = constant_along(given[4], windows[1], lattice, 0)
    h = constant_along(given[4] + lattice[1][0], windows[2], lattice, 1)
    w = constant_along(given[4] + lattice[1][0] + lattice[1][1], windows[3], lattice, 2)
    return d + h + w if SUMMED else d * h * w


def constant_along(constants, window, lattice, AXIS):
    """Return the numbers of windows along one axis."""
    return tl.load(constants + window, mask=(window >= 0) & (window < lattice[1][AXIS]), other=1.0)


def fold_windows(given, found, shape, OUTER: tl.constexpr, INNER: tl.constexpr, COLUMNS: tl.constexpr):
    """Fold a tile of windows.

    given : (x, other, weights, settings, constants, extra); found : (value, aside, winner, states, how far these lie
    apart), None where they are not wanted; shape : (sizes, counts, tables, rows)
    """
    windows, column, here = tile_at(shape[1], shape[3], OUTER, INNER, COLUMNS)
    at = address(windows, column, shape[1])
    numbers = numbers_of(given)
    ones, extra = tl.full((OUTER * INNER, COLUMNS), 1.0, KIND), 0.0
    if EXTRA:
        extra = tl.load(given[5] + at, mask=here, other=0.0).to(KIND)
    state = folded(given, windows, column, shape, numbers, extra, here, ones)
    if found[3] is not None:
        for i in tl.static_range(FIELDS):
            tl.store(found[3] + i * found[4] + at, state[i], mask=here)
    if found[0] is not None:
        finished = FINISH(state, constant_of(given, windows, shape), extra, numbers)
        tl.store(found[0] + at, (finished[0] * ones).to(found[0].dtype.element_ty), mask=here)
        if found[1] is not None:
            tl.store(found[1] + at, finished[1] * ones, mask=here)
        if found[2] is not None:
            tl.store(found[2] + at, (finished[2] * ones).to(tl.int32), mask=here)
