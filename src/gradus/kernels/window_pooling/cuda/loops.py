"""The loops over windows in Triton's language; ``binding`` gives their names in capitals a meaning, and compiles them.

A tile is so many rows by so many columns of a tensor in memory: its last axis is columns, all others are rows. In a
contiguous tensor columns are the last axis that windows slide over, and a lead is a plane; in channels last columns
are channels, and a lead is a sample.

Windows slide (SLIDING), and their positions are worked out; or they lie in tables: for each axis the positions of its
windows, -1 where there is none, and for each position the windows that hold it, as pairs (window, tap).
"""

from __future__ import annotations

from typing import Any

import triton.language as tl

from gradus.kernels.window_pooling.variant import Tap, Window, unused

# of the variant: what it looks at, what lies outside, how many numbers a state has, whether there are several shares,
# the place of a weight's among them, and its functions
SECOND: Any = False
TWO_PASSES = ASIDE = WINNER = EXTRA = NEEDS_INPUT = OF_VALUE = RANKS = RECALLS = SECOND
PADDING: Any = 0.0
FIELDS: Any = 1
SEVERAL: Any = False
LAST_SHARE: Any = 0
START = FOLD = TURN = FOLD_AGAIN = FINISH = SHARE = unused
# of the geometry, for each axis: taps, strides, padding before, dilation, and how many windows may hold a position
KERNEL: Any = (1, 1, 1)
STRIDE = BEFORE = DILATION = REACH = KERNEL
TAPS: Any = 1
REACHED: Any = 1
SLIDING: Any = True
# whether a window's constant is the sum of those along the axes, or their product
SUMMED: Any = False
# of the call: the type computed in, whether places need 64 bits, the memory format, and how many weights there are
KIND: Any = tl.float32
WIDE: Any = False
CHANNELS_LAST: Any = False
WEIGHTS: Any = 0
# a window of more taps is gone through in a loop, that of fewer is written out
WRITTEN_OUT: Any = 32


def tile_at(ROWS, COLUMNS):
    """Return the rows and the columns of this program's tile, (ROWS, 1) and (1, COLUMNS)."""
    program = tl.program_id(0).to(tl.int64) if WIDE else tl.program_id(0)
    row = program * ROWS + tl.arange(0, ROWS)[:, None]
    return row, tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)[None, :]


def place_at(row, column, sizes):
    """Return the lead of rows, and where their numbers lie on the three axes."""
    if CHANNELS_LAST:
        rest, w = row // sizes[2], row % sizes[2]
    else:
        rest, w = row, column
    lead = rest // sizes[1]
    return lead // sizes[0], lead % sizes[0], rest % sizes[1], w


def address(place, column, sizes):
    """Return where numbers lie in memory; column : (theirs, how many there are)."""
    at = ((place[0] * sizes[0] + place[1]) * sizes[1] + place[2]) * sizes[2] + place[3]
    return at * column[1] + column[0] if CHANNELS_LAST else at


def tap_along(window, k, lattice, AXIS):
    """Return the position of tap k of windows along an axis, and whether it lies inside."""
    size, count, table = lattice[0][AXIS], lattice[1][AXIS], lattice[2][AXIS]
    if SLIDING:
        at = window * STRIDE[AXIS] + (k * DILATION[AXIS] - BEFORE[AXIS])
        inside = (at >= 0) & (at < size)
    else:
        at = tl.load(table + window * KERNEL[AXIS] + k, mask=window < count, other=-1)
        inside = at >= 0
    return at, inside


def window_along(position, j, lattice, AXIS):
    """Return the j-th window that may hold positions along an axis, which tap they are there, and whether it does."""
    size, count, table = lattice[0][AXIS], lattice[1][AXIS], lattice[2][AXIS]
    if SLIDING:
        reached = position + BEFORE[AXIS]
        window = reached // STRIDE[AXIS] - j
        ahead = reached - window * STRIDE[AXIS]
        tap = ahead // DILATION[AXIS]
        held = (window >= 0) & (window < count) & (tap < KERNEL[AXIS]) & (ahead % DILATION[AXIS] == 0)
    else:
        entry = table + (position * REACH[AXIS] + j) * 2
        window = tl.load(entry, mask=position < size, other=-1)
        tap = tl.load(entry + 1, mask=position < size, other=0)
        held = window >= 0
    return window, tap, held


def as_tiles(state, ones):
    """Return the numbers of a state as tiles of the type that is computed in."""
    found = ()
    for i in tl.static_range(len(state)):
        found = found + ((state[i] * ones).to(KIND),)
    return found


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


def known_of(given, kept, windows, at, lattice, here, numbers):
    """Return what is known of windows whose numbers are stored at ``at``."""
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
        state = ()
        for i in tl.static_range(FIELDS):
            state = state + (tl.load(kept[4] + i * kept[5] + at, mask=here, other=0.0),)
    return Window(upstream, value, aside, winner, constant_of(given, windows, lattice), extra, state)


def fold_windows(given, found, sizes, counts, tables, rows, columns, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """Fold a tile of windows.

    given : (x, other, weights, settings, constants, extra); found : (value, aside, winner, states, how far these lie
    apart), None where they are not wanted
    """
    row, column = tile_at(ROWS, COLUMNS)
    here = (row < rows) & (column < columns)
    windows = place_at(row, column, counts)
    numbers, lattice = numbers_of(given), (sizes, counts, tables)
    at = row * columns + column
    ones, extra = tl.full((ROWS, COLUMNS), 1.0, KIND), 0.0
    if EXTRA:
        extra = tl.load(given[5] + at, mask=here, other=0.0).to(KIND)
    state = folded(given, windows, (column, columns), lattice, numbers, extra, here, ones)
    if found[3] is not None:
        for i in tl.static_range(FIELDS):
            tl.store(found[3] + i * found[4] + at, state[i], mask=here)
    if found[0] is not None:
        finished = FINISH(state, constant_of(given, windows, lattice), extra, numbers)
        tl.store(found[0] + at, (finished[0] * ones).to(found[0].dtype.element_ty), mask=here)
        if found[1] is not None:
            tl.store(found[1] + at, finished[1] * ones, mask=here)
        if found[2] is not None:
            tl.store(found[2] + at, (finished[2] * ones).to(tl.int32), mask=here)


def gather_shares(given, kept, found, sizes, counts, tables, rows, columns, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """Add up for each position of a tile the shares that its windows give it.

    kept : (upstream, value, aside, winner, states, how far these lie apart); found : the gradients of x and of the
    second input
    """
    row, column = tile_at(ROWS, COLUMNS)
    here = (row < rows) & (column < columns)
    place = place_at(row, column, sizes)
    numbers, lattice = numbers_of(given), (sizes, counts, tables)
    at = row * columns + column
    x, second = 0.0, 0.0
    if NEEDS_INPUT:
        x = tl.load(given[0] + at, mask=here, other=PADDING).to(KIND)
    if SECOND:
        second = tl.load(given[1] + at, mask=here, other=PADDING).to(KIND)
    total, other_total = tl.zeros((ROWS, COLUMNS), KIND), tl.zeros((ROWS, COLUMNS), KIND)
    for j in tl.static_range(REACHED):
        od, kd, in_depth = window_along(place[1], j // (REACH[1] * REACH[2]), lattice, 0)
        oh, kh, in_height = window_along(place[2], j // REACH[2] % REACH[1], lattice, 1)
        ow, kw, in_width = window_along(place[3], j % REACH[2], lattice, 2)
        held = here & in_depth & in_height & in_width
        windows = (place[0], od, oh, ow)
        known = known_of(given, kept, windows, address(windows, (column, columns), counts), lattice, held, numbers)
        k = (kd * KERNEL[1] + kh) * KERNEL[2] + kw
        weight = 0.0
        if WEIGHTS > 0:
            slot = slot_of(x, k, given, windows, (column, columns), lattice, held)
            weight = weight_of(given[2], slot, held)
        share = SHARE(x, Tap(k.to(KIND), weight, second, k), known, numbers)
        some = held & (known.upstream != 0.0)
        if SEVERAL:
            total += tl.where(some, share[0], 0.0)
        else:
            total += tl.where(some, share, 0.0)
        if SECOND:
            other_total += tl.where(some, share[1], 0.0)
    tl.store(found[0] + at, total.to(found[0].dtype.element_ty), mask=here)
    if SECOND:
        tl.store(found[1] + at, other_total.to(found[1].dtype.element_ty), mask=here)


def learn_weights(given, kept, sums, sizes, counts, tables, rows, columns, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """Add up over a tile of windows what each of its taps is worth to its weight; sums : (tiles, taps).

    What a value is worth to the weight of its rank is not added up, for which it lies at another place in each window;
    sums : (ranks, windows).
    """
    row, column = tile_at(ROWS, COLUMNS)
    here = (row < rows) & (column < columns)
    windows, at = place_at(row, column, counts), row * columns + column
    numbers, lattice = numbers_of(given), (sizes, counts, tables)
    known = known_of(given, kept, windows, at, lattice, here, numbers)
    some = here & (known.upstream != 0.0)
    own = sums + (tl.program_id(0) * tl.num_programs(1) + tl.program_id(1)) * TAPS
    for t in range(TAPS):
        value, tap = tap_at(given, windows, t, (column, columns), lattice, here)
        share = tl.where(some, SHARE(value, tap, known, numbers)[LAST_SHARE], 0.0)
        if RANKS:
            tl.store(sums + tap.slot * kept[5] + at, share, mask=here)
        else:
            tl.store(own + t, tl.sum(share))
