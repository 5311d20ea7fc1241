"""Registers compute place by place what NumPy computes, in their own type, and take plain numbers beside them."""

import math

import numpy as np
import pytest

from gradus.kernels.compilation import compiled
from gradus.kernels.register_memory import first, lanes, read, write
from gradus.kernels.registers import as_registers, chosen

kinds = pytest.mark.parametrize("kind", [np.float32, np.float64])


def over(function):
    """Return the function of a line that gives what ``function`` makes of its registers, the last one masked."""
    inner = compiled(cache=False)(function)

    @compiled(cache=False)
    def run(x, out):
        width = lanes(x)
        whole = len(x) - len(x) % width
        for at in range(0, whole, width):
            write(out, at, None, as_registers(x, inner(read(x, at, None)))[0])
        mask = first(x, len(x) - whole)
        write(out, whole, mask, as_registers(x, inner(read(x, whole, mask)))[0])

    def called(x):
        out = np.empty_like(x)
        run(x, out)
        return out

    return called


def draws(kind, low=-5.0, high=5.0, count=75):
    return np.random.default_rng(0).uniform(low, high, count).astype(kind)


arithmetic = over(lambda r: math.sqrt(abs(-r)) * 2 + (r - 1.5) / (0.1 + r * r) + math.floor(r))


@kinds
def test_arithmetic_rounds_as_numpy_does(kind):
    x = draws(kind)
    wanted = np.sqrt(abs(x)) * kind(2) + (x - kind(1.5)) / (kind(0.1) + x * x) + np.floor(x)
    np.testing.assert_array_equal(arithmetic(x), wanted)


ORDERS = {
    "<": (over(lambda r: chosen(r < 1.0, 1.0, 0.0 * r - 2.0)), lambda x: np.where(x < 1, 1, 0 * x - 2)),
    "<=": (over(lambda r: chosen(r <= 1.0, r, 9.0)), lambda x: np.where(x <= 1, x, 9)),
    ">": (over(lambda r: chosen(r < 1.0, r, 9.0)), lambda x: np.where(x < 1, x, 9)),
    ">=": (over(lambda r: chosen(r >= 1.0, r, 9.0)), lambda x: np.where(x >= 1, x, 9)),
    "==": (over(lambda r: chosen(r == r, r, 9.0)), lambda x: np.where(x == x, x, 9)),
    "!=": (over(lambda r: chosen((r != r) | (r != 1.0), r, 9.0)), lambda x: np.where(x != 1, x, 9)),
    "&": (over(lambda r: chosen((r > -1.0) & (r < 1.0), r, 9.0)), lambda x: np.where(abs(x) < 1, x, 9)),
}


@kinds
@pytest.mark.parametrize("order", ORDERS)
def test_what_is_no_number_is_in_no_order(kind, order):
    ours, theirs = ORDERS[order]
    x = draws(kind)
    x[:6] = math.nan, math.inf, -math.inf, 1.0, -0.0, math.nan
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(ours(x), theirs(x).astype(kind))


@kinds
def test_numbers_and_registers_of_a_tuple_become_registers(kind):
    x = draws(kind)
    found = over(lambda r: as_registers(np.empty(0, np.float32), (0.5, 1, r))[2])(x) if kind == np.float32 else x
    np.testing.assert_array_equal(found, x)
