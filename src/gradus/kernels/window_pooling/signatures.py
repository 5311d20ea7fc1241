"""The types that a variant's loops are compiled for, so that one compiled driver can call any of them."""

from __future__ import annotations

from typing import Any

from numba import types

# every variant is given two numbers, read or not
SETTINGS = types.UniTuple(types.float64, 2)
STARTS = types.Array(types.int64, 1, "C")
SPAN = types.UniTuple(types.int64, 6)


def number(double: bool) -> Any:
    """Return the type that is computed in."""
    return types.float64 if double else types.float32


def winner(wide: bool) -> Any:
    """Return the type of a line of winning taps."""
    return types.Array(types.int32 if wide else types.uint8, 1, "C")


def reduce_signature(double: bool, wide: bool) -> Any:
    """Return the signature of ``template.reduce_span``."""
    line = types.Array(number(double), 1, "C")
    found = types.Tuple((line, line, winner(wide)))
    return types.void(line, line, STARTS, SPAN, line, SETTINGS, types.UniTuple(line, 2), found)


def pull_signature(double: bool, wide: bool) -> Any:
    """Return that of ``template.pull_span``."""
    line = types.Array(number(double), 1, "C")
    found, pairs = types.Tuple((line, line, line, winner(wide))), types.UniTuple(line, 2)
    return types.void(line, line, STARTS, SPAN, line, SETTINGS, pairs, found, pairs)
