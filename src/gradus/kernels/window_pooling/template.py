"""The loops that every pooling variant shares; the names in capitals are bound to one variant by ``specialise``."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.kernels.window_pooling.variant import Tap, Window, unused

# the state of so many windows stays in the nearest cache while their taps stream by
BLOCK = 512

# what ``specialise`` binds
STATES = 1
SECOND, TWO_PASSES, ASIDE, WINNER, NEEDS_INPUT = (False,) * 5
START = FOLD = TURN = FOLD_AGAIN = FINISH = SHARE = unused

# rows of the numbers of a run of windows
VALUE, ASIDES, WINNERS, CONSTANTS, EXTRAS, UPSTREAM = range(6)
RUN_ROWS = 6


def reduce_run(
    source: Any, other: Any, starts: Any, weights: Any, settings: Any, run: Any, state: Any, length: int
) -> None:
    """Fold the taps of a run of windows, where tap t of all windows is the run at ``starts[t]`` (none if negative)."""
    numbers = (settings[0], settings[1], np.float64(weights[0]))
    first, second, third = state[0], state[1], state[2]
    for begin in range(0, length, BLOCK):
        size = min(BLOCK, length - begin)
        extra = run[EXTRAS, begin : begin + size]
        for e in range(size):
            at_start = START(numbers)
            first[e] = at_start[0]
            if STATES > 1:
                second[e] = at_start[1]
            if STATES > 2:
                third[e] = at_start[2]
        for repetition in range(2 if TWO_PASSES else 1):
            if TWO_PASSES and repetition == 1:
                for e in range(size):
                    turned = TURN((first[e], second[e], third[e]), extra[e], numbers)
                    first[e], second[e], third[e] = turned[0], turned[1], turned[2]
            for t in range(len(starts)):
                if starts[t] < 0:
                    continue
                x = source[starts[t] + begin : starts[t] + begin + size]
                z = other[starts[t] + begin : starts[t] + begin + size] if SECOND else x
                weight = weights[t % len(weights)]
                number = state.dtype.type(t)
                if TWO_PASSES and repetition == 1:
                    for e in range(size):
                        folded = FOLD_AGAIN((first[e], second[e], third[e]), x[e], Tap(number, weight, z[e]), numbers)
                        first[e], second[e], third[e] = folded[0], folded[1], folded[2]
                else:
                    for e in range(size):
                        folded = FOLD((first[e], second[e], third[e]), x[e], Tap(number, weight, z[e]), numbers)
                        first[e] = folded[0]
                        if STATES > 1:
                            second[e] = folded[1]
                        if STATES > 2:
                            third[e] = folded[2]
        value, aside, winner = run[VALUE], run[ASIDES], run[WINNERS]
        value, aside, winner = value[begin:], aside[begin:], winner[begin:]
        constant = run[CONSTANTS, begin : begin + size]
        for e in range(size):
            found = FINISH((first[e], second[e], third[e]), constant[e], extra[e], numbers)
            value[e] = found[0]
            if ASIDE:
                aside[e] = found[1]
            if WINNER:
                winner[e] = found[2]


def pull_run(
    source: Any,
    other: Any,
    starts: Any,
    weights: Any,
    settings: Any,
    run: Any,
    gradient: Any,
    other_gradient: Any,
    length: int,
) -> None:
    """Add what each tap of a run of windows gets of the upstream gradient, tap after tap."""
    numbers = (settings[0], settings[1], np.float64(weights[0]))
    for begin in range(0, length, BLOCK):
        size = min(BLOCK, length - begin)
        upstream, value = run[UPSTREAM, begin : begin + size], run[VALUE, begin : begin + size]
        aside, winner = run[ASIDES, begin : begin + size], run[WINNERS, begin : begin + size]
        constant, extra = run[CONSTANTS, begin : begin + size], run[EXTRAS, begin : begin + size]
        for t in range(len(starts)):
            if starts[t] < 0:
                continue
            x = source[starts[t] + begin : starts[t] + begin + size] if NEEDS_INPUT else upstream
            z = other[starts[t] + begin : starts[t] + begin + size] if SECOND else x
            pulled = gradient[starts[t] + begin : starts[t] + begin + size]
            weight = weights[t % len(weights)]
            number = run.dtype.type(t)
            if SECOND:
                pulled_other = other_gradient[starts[t] + begin : starts[t] + begin + size]
                for e in range(size):
                    window = Window(upstream[e], value[e], aside[e], winner[e], constant[e], extra[e])
                    share = SHARE(x[e], Tap(number, weight, z[e]), window, numbers)
                    pulled[e] += share[0] if upstream[e] != 0 else 0
                    pulled_other[e] += share[1] if upstream[e] != 0 else 0
            else:
                for e in range(size):
                    window = Window(upstream[e], value[e], aside[e], winner[e], constant[e], extra[e])
                    share = SHARE(x[e], Tap(number, weight, z[e]), window, numbers)
                    pulled[e] += share if upstream[e] != 0 else 0
