"""The types that a variant's loops are compiled for, so that one compiled driver can call any of them."""

from __future__ import annotations

from typing import Any

from numba import types

from gradus.kernels.registers import Register

# every variant is given two numbers, read or not
SETTINGS = types.UniTuple(types.float64, 2)
STARTS = types.Array(types.int64, 1, "C")
SPANS = types.Array(types.int64, 2, "C")
ORIGIN = types.UniTuple(types.int64, 4)


def number(double: bool) -> Any:
    """Return the type that is computed in."""
    return types.float64 if double else types.float32


def lanes_of(double: bool) -> int:
    """Return how many of these numbers a register holds."""
    found: int = Register(number(double)).lanes
    return found


def winner(wide: bool) -> Any:
    """Return the type of a line of winning taps."""
    return types.Array(types.int32 if wide else types.uint8, 1, "C")


def found(double: bool, wide: bool) -> Any:
    """Return the types of the lines of values, of numbers put aside, and of winners."""
    line = types.Array(number(double), 1, "C")
    return types.Tuple((line, line, winner(wide)))


def known(double: bool, wide: bool) -> Any:
    """Return the types of the lines of the upstream gradient, and of what was found."""
    line = types.Array(number(double), 1, "C")
    return types.Tuple((line, *found(double, wide)))


def reduce_signature(double: bool, wide: bool) -> Any:
    """Return the signature of ``template.over_spans`` where taps are folded."""
    return _signature(double, found(double, wide))


def pull_signature(double: bool, wide: bool) -> Any:
    """Return that of ``template.over_spans`` where gradients are shared out."""
    line = types.Array(number(double), 1, "C")
    return _signature(double, types.Tuple((*known(double, wide), line, line, line)))


def _signature(double: bool, lines: Any) -> Any:
    line = types.Array(number(double), 1, "C")
    return types.void(line, line, SPANS, SPANS, ORIGIN, line, SETTINGS, types.UniTuple(line, 2), lines)
