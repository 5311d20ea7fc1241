"""The loops over windows bound to one variant and one kind of call, as Triton's kernels.

All functions of a loop are copied into one namespace in which the names in capitals mean what they should; Triton reads
names where a function was defined. So a variant is written once, for every processor.
"""

from __future__ import annotations

import inspect
import math
from functools import lru_cache
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import triton
import triton.language as tl

from gradus.kernels.window_pooling.cuda import folding, sharing, tiles
from gradus.kernels.window_pooling.cuda.functions import WORDS
from gradus.kernels.window_pooling.variant import FIRST_TAP, Tap, Window
from gradus.kernels.window_pooling.windows import ABSENT

if TYPE_CHECKING:
    from gradus.kernels.window_pooling.variant import Variant
    from gradus.kernels.window_pooling.windows import Ints

_FUNCTIONS = ("start", "fold", "turn", "fold_again", "finish", "share")


class Setting(NamedTuple):
    """What is known of a call when its loops are compiled.

    Attributes
    ----------
    kernel, stride, before, dilation : of the windows along three axes
    reach : how many windows may hold a position, along each axis
    earliest, holders : of cells along each axis, the first window that holds a position, and how many do
    sliding : whether windows slide, so that the three in between are read
    double : whether float64 is computed with
    wide : whether a place in memory needs 64 bits
    channels_last : the memory format
    weights : how many there are
    """

    kernel: Ints
    stride: Ints
    before: Ints
    dilation: Ints
    reach: Ints
    earliest: Ints
    holders: Ints
    sliding: bool
    double: bool
    wide: bool
    channels_last: bool
    weights: int


class Bound(NamedTuple):
    """The kernels of a variant; see ``folding`` and ``sharing``."""

    fold_windows: Any
    gather_shares: Any
    gather_cells: Any
    learn_weights: Any


@lru_cache(maxsize=512)
def bound(variant: Variant, setting: Setting) -> Bound:
    """Return the kernels of a variant for calls of one kind."""
    constants: dict[str, Any] = {
        **variant.flags,
        "PADDING": variant.padding,
        "FIELDS": fields_of(variant),
        "SEVERAL": variant.second_input or variant.learns,
        "LAST_SHARE": int(variant.second_input) + int(variant.learns),
        "TAPS": math.prod(setting.kernel),
        "REACHED": math.prod(setting.reach),
        "TAP_OF": _taps_of_cells(setting),
        "SUMMED": variant.constant == FIRST_TAP,
        "KIND": tl.float64 if setting.double else tl.float32,
        "WRITTEN_OUT": tiles.WRITTEN_OUT,
    }
    constants |= {name.upper(): value for name, value in setting._asdict().items() if name != "double"}
    known: dict[str, Any] = {"tl": tl, "Tap": Tap, "Window": Window}
    known |= {name: tl.constexpr(value) for name, value in constants.items()}
    known |= {part.upper(): _in_triton(getattr(variant, part), {**WORDS}) for part in _FUNCTIONS}
    for module in (tiles, folding, sharing):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__:
                known[name] = _in_triton(function, known)
    return Bound(*(known[name] for name in Bound._fields))


def _taps_of_cells(setting: Setting) -> Ints:
    """Return for each position of a cell, and each of the windows that hold any, the tap that it is there, or -1."""
    if not setting.sliding:
        return (-1,)
    along = []
    for axis in range(3):
        windows = range(setting.earliest[axis], setting.earliest[axis] + setting.holders[axis])
        ahead = (
            np.arange(setting.stride[axis])[:, None] + setting.before[axis] - np.array(windows) * setting.stride[axis]
        )
        tap, rest = np.divmod(ahead, setting.dilation[axis])
        along.append(np.where((rest == 0) & (tap >= 0) & (tap < setting.kernel[axis]), tap, ABSENT))
    depth, height, width = (
        along[0][:, None, None, :, None, None],
        along[1][:, None, None, :, None],
        along[2][:, None, None],
    )
    taps = (depth * setting.kernel[1] + height) * setting.kernel[2] + width
    held = (depth != ABSENT) & (height != ABSENT) & (width != ABSENT)
    return tuple(np.where(held, taps, ABSENT).reshape(-1).tolist())


def fields_of(variant: Variant) -> int:
    """Return how many numbers a variant's state has."""
    return len(variant.start((0.0, 0.0, 0.0)))


def _in_triton(function: Any, known: dict[str, Any]) -> Any:
    """Return a copy of a function that Triton compiles, whose names mean what is ``known``."""
    copy = FunctionType(function.__code__, known, function.__name__)
    copy.__module__, copy.__annotations__ = function.__module__, function.__annotations__
    return triton.jit(copy)
