"""Sharing the gradient of windows out, in Triton's language; see ``tiles`` for the names in capitals.

``kept`` is (upstream, value, aside, winner, states, how far these lie apart), ``found`` the gradients of x and of the
second input, ``shape`` (sizes, counts, tables, rows).
"""

from __future__ import annotations

import triton.language as tl

from gradus.kernels.window_pooling.cuda.folding import constant_of, folded, numbers_of, slot_of, tap_at, weight_of
from gradus.kernels.window_pooling.cuda.tiles import (
    ASIDE,
    EARLIEST,
    EXTRA,
    FIELDS,
    HOLDERS,
    KERNEL,
    KIND,
    LAST_SHARE,
    NEEDS_INPUT,
    OF_VALUE,
    PADDING,
    RANKS,
    REACH,
    REACHED,
    RECALLS,
    SECOND,
    SEVERAL,
    SHARE,
    START,
    STRIDE,
    TAP_OF,
    TAPS,
    WEIGHTS,
    WINNER,
    address,
    tile_at,
    window_along,
)
from gradus.kernels.window_pooling.variant import Tap, Window


def known_of(given, kept, windows, column, shape, here, numbers):
    """Return what is known of windows."""
    at = address(windows, column, shape[1])
    value, aside, winner, extra = 0.0, 0.0, 0.0, 0.0
    upstream = tl.load(kept[0] + at, mask=here, other=0.0).to(KIND)
    if OF_VALUE:
        value = tl.load(kept[1] + at, mask=here, other=1.0).to(KIND)
    if ASIDE:
        aside = tl.load(kept[2] + at, mask=here, other=0.0).to(KIND)
    if WINNER:
        winner = tl.load(kept[3] + at, mask=here, other=0).to(KIND)
    if EXTRA:
        extra = tl.load(given[5] + at, mask=here, other=0.0).to(KIND)
    state = START(numbers)
    if RECALLS:
        if kept[4] is None:
            ones = tl.where(here, 1.0, 1.0).to(KIND)
            state = folded(given, windows, column, shape, numbers, extra, here, ones)
        else:
            state = ()
            for i in tl.static_range(FIELDS):
                state = state + (tl.load(kept[4] + i * kept[5] + at, mask=here, other=0.0),)
    return Window(upstream, value, aside, winner, constant_of(given, windows, shape), extra, state)


def inputs_at(given, at, here):
    """Return the numbers of both inputs, where they are looked at."""
    x, second = 0.0, 0.0
    if NEEDS_INPUT:
        x = tl.load(given[0] + at, mask=here, other=PADDING).to(KIND)
    if SECOND:
        second = tl.load(given[1] + at, mask=here, other=PADDING).to(KIND)
    return x, second


def added(totals, shares, some):
    """Return the sums of the gradients of both inputs with some shares more."""
    total, other_total = totals
    if SEVERAL:
        total += tl.where(some, shares[0], 0.0)
    else:
        total += tl.where(some, shares, 0.0)
    if SECOND:
        other_total += tl.where(some, shares[1], 0.0)
    return total, other_total


def store_totals(found, at, totals, here):
    """Write the gradients of both inputs."""
    tl.store(found[0] + at, totals[0].to(found[0].dtype.element_ty), mask=here)
    if SECOND:
        tl.store(found[1] + at, totals[1].to(found[1].dtype.element_ty), mask=here)


def gather_shares(given, kept, found, shape, OUTER: tl.constexpr, INNER: tl.constexpr, COLUMNS: tl.constexpr):
    """Add up for each position of a tile the shares that its windows give it."""
    place, column, here = tile_at(shape[0], shape[3], OUTER, INNER, COLUMNS)
    numbers, at = numbers_of(given), address(place, column, shape[0])
    x, second = inputs_at(given, at, here)
    totals = tl.zeros((OUTER * INNER, COLUMNS), KIND), tl.zeros((OUTER * INNER, COLUMNS), KIND)
    for j in tl.static_range(REACHED):
        od, kd, in_depth = window_along(place[1], j // (REACH[1] * REACH[2]), shape, 0)
        oh, kh, in_height = window_along(place[2], j // REACH[2] % REACH[1], shape, 1)
        ow, kw, in_width = window_along(place[3], j % REACH[2], shape, 2)
        held = here & in_depth & in_height & in_width
        windows = (place[0], od, oh, ow)
        known = known_of(given, kept, windows, column, shape, held, numbers)
        k = (kd * KERNEL[1] + kh) * KERNEL[2] + kw
        weight = 0.0
        if WEIGHTS > 0:
            slot = slot_of(x, k, given, windows, column, shape, held)
            weight = weight_of(given[2], slot, held)
        shares = SHARE(x, Tap(k.to(KIND), weight, second, k), known, numbers)
        totals = added(totals, shares, held & (known.upstream != 0.0))
    store_totals(found, at, totals, here)


def holders_of(given, kept, cell, column, shape, here, numbers):
    """Return for each window that holds a position of cells where it lies, whether there is one, and what is known."""
    found = ()
    for j in tl.static_range(HOLDERS[0] * HOLDERS[1] * HOLDERS[2]):
        windows = (
            cell[0],
            cell[1] + (EARLIEST[0] + j // (HOLDERS[1] * HOLDERS[2])),
            cell[2] + (EARLIEST[1] + j // HOLDERS[2] % HOLDERS[1]),
            cell[3] + (EARLIEST[2] + j % HOLDERS[2]),
        )
        held = here
        for axis in tl.static_range(3):
            held = held & (windows[axis + 1] >= 0) & (windows[axis + 1] < shape[1][axis])
        found = found + ((windows, held, known_of(given, kept, windows, column, shape, held, numbers)),)
    return found


def gather_cells(given, kept, found, shape, OUTER: tl.constexpr, INNER: tl.constexpr, COLUMNS: tl.constexpr):
    """Do the same for a tile of cells, each of STRIDE positions along each axis.

    The positions of a cell are held by the same few windows, which are read once; which tap they are is known when this
    is compiled.
    """
    cell, column, here = tile_at(shape[4], shape[3], OUTER, INNER, COLUMNS)
    numbers, tile = numbers_of(given), tl.zeros((OUTER * INNER, COLUMNS), KIND)
    knowns = holders_of(given, kept, cell, column, shape, here, numbers)
    for r in tl.static_range(STRIDE[0] * STRIDE[1] * STRIDE[2]):
        place = (
            cell[0],
            cell[1] * STRIDE[0] + r // (STRIDE[1] * STRIDE[2]),
            cell[2] * STRIDE[1] + r // STRIDE[2] % STRIDE[1],
            cell[3] * STRIDE[2] + r % STRIDE[2],
        )
        inside = here & (place[1] < shape[0][0]) & (place[2] < shape[0][1]) & (place[3] < shape[0][2])
        at = address(place, column, shape[0])
        x, second = inputs_at(given, at, inside)
        totals = tile, tile
        for j in tl.static_range(HOLDERS[0] * HOLDERS[1] * HOLDERS[2]):
            if TAP_OF[r * (HOLDERS[0] * HOLDERS[1] * HOLDERS[2]) + j] >= 0:
                # a tuple of tuples forgets their names
                windows, held, known = knowns[j][0], knowns[j][1], Window(*knowns[j][2])
                k = TAP_OF[r * (HOLDERS[0] * HOLDERS[1] * HOLDERS[2]) + j]
                weight = 0.0
                if WEIGHTS > 0:
                    slot = slot_of(x, tl.zeros_like(tile).to(tl.int32) + k, given, windows, column, shape, held)
                    weight = weight_of(given[2], slot, held)
                shares = SHARE(x, Tap(k * 1.0, weight, second, k), known, numbers)
                totals = added(totals, shares, held & (known.upstream != 0.0))
        store_totals(found, at, totals, inside)


def learn_weights(given, kept, sums, shape, OUTER: tl.constexpr, INNER: tl.constexpr, COLUMNS: tl.constexpr):
    """Add up over a tile of windows what each of its taps is worth to its weight; sums : (tiles, taps).

    What a value is worth to the weight of its rank is not added up, for which it lies at another place in each window;
    sums : (ranks, windows).
    """
    windows, column, here = tile_at(shape[1], shape[3], OUTER, INNER, COLUMNS)
    numbers = numbers_of(given)
    known = known_of(given, kept, windows, column, shape, here, numbers)
    some = here & (known.upstream != 0.0)
    own = sums + (tl.program_id(0) * tl.num_programs(1) + tl.program_id(1)) * TAPS
    for t in range(TAPS):
        value, tap = tap_at(given, windows, t, column, shape, here)
        share = tl.where(some, SHARE(value, tap, known, numbers)[LAST_SHARE], 0.0)
        if RANKS:
            tl.store(sums + tap.slot * kept[5] + address(windows, column, shape[1]), share, mask=here)
        else:
            tl.store(own + t, tl.sum(share))
