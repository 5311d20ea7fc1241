"""The types that a variant's loops are compiled for, so that one compiled driver can call any of them."""

from __future__ import annotations

from typing import Any

from numba import types

# every variant is given two numbers, read or not
SETTINGS = types.UniTuple(types.float64, 2)


def number(double: bool) -> Any:
    """Return the type that is computed in."""
    return types.float64 if double else types.float32


def reduce_signature(double: bool) -> Any:
    """Return the signature of ``template.reduce_run``: source, other, starts, weights, settings, run, state, length."""
    line, run = types.Array(number(double), 1, "C"), types.Array(number(double), 2, "C")
    starts = types.Array(types.int64, 1, "C")
    return types.void(line, line, starts, line, SETTINGS, run, run, types.int64)


def pull_signature(double: bool) -> Any:
    """Return that of ``template.pull_run``: source, other, starts, weights, settings, run, both gradients, length."""
    line, run = types.Array(number(double), 1, "C"), types.Array(number(double), 2, "C")
    starts = types.Array(types.int64, 1, "C")
    return types.void(line, line, starts, line, SETTINGS, run, line, line, types.int64)
