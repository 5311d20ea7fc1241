"""Tiles of windows and positions in Triton's language, and the names in capitals, whose meaning ``binding`` gives.

A tile is so many rows by so many columns of a tensor in memory: its last axis is columns, all others are rows. In a
contiguous tensor columns are the last axis that windows slide over, and a lead is a plane; in channels last columns
are channels, and a lead is a sample. Rows are an outer index and an inner one, the axis before the columns: a tile has
OUTER by INNER of them, so that no row need be divided to know where it lies.

Windows slide (SLIDING), and their positions are worked out; or they lie in tables: for each axis the positions of its
windows, -1 where there is none, and for each position the windows that hold it, as pairs (window, tap).
"""

from __future__ import annotations

from typing import Any

import triton.language as tl

from gradus.kernels.window_pooling.variant import unused

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
# of cells, STRIDE positions along each axis: the first of the windows that hold any of them, how many these are, and
# for each position and window which tap the one is of the other, or -1
EARLIEST: Any = (0, 0, 0)
HOLDERS: Any = (1, 1, 1)
TAP_OF: Any = (0,)
# whether a window's constant is the sum of those along the axes, or their product
SUMMED: Any = False
# of the call: the type computed in, whether places need 64 bits, the memory format, and how many weights there are
KIND: Any = tl.float32
WIDE: Any = False
CHANNELS_LAST: Any = False
WEIGHTS: Any = 0
# a window of more taps is gone through in a loop, that of fewer is written out
WRITTEN_OUT: Any = 32


def tile_at(extent, rows, OUTER, INNER, COLUMNS):
    """Return this program's tile of an array that extends so far along three axes: where its numbers lie, and which
    of them there are.

    rows : (outer rows, columns) of the array

    Returns
    -------
    place : (lead, depth, height, width) of each number, that broadcast to (OUTER * INNER, COLUMNS)
    column : (that of each number, how many there are)
    here : which of them there are
    """
    count = extent[2] if CHANNELS_LAST else extent[1]
    blocks = tl.cdiv(count, INNER)
    program = tl.program_id(0).to(tl.int64) if WIDE else tl.program_id(0)
    local = tl.arange(0, OUTER * INNER)[:, None]
    outer = program // blocks * OUTER + local // INNER
    inner = program % blocks * INNER + local % INNER
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)[None, :]
    here = (outer < rows[0]) & (inner < count) & (column < rows[1])
    if CHANNELS_LAST:
        place = (outer // extent[1] // extent[0], outer // extent[1] % extent[0], outer % extent[1], inner)
    else:
        place = (outer // extent[0], outer % extent[0], inner, column)
    return place, (column, rows[1]), here


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
