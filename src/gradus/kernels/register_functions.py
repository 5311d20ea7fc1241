"""Exponential, logarithm and scaling of whole registers, in compiled code."""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from gradus.kernels import elementary
from gradus.kernels.registers import Register, chosen, item_of, multiply_add
from gradus.kernels.tiles import everywhere

# exponent's place, its bias, and the bits of sqrt(1/2), below which a fraction is doubled
_LAYOUT = {32: (23, 127, 0x3F3504F3), 64: (52, 1023, int(elementary.SQUARE_ROOT_OF_HALF))}


def _bits(builder: Any, kind: Register, value: ir.Value) -> ir.Value:
    return builder.bitcast(value, kind.holding(ir.IntType(kind.dtype.bitwidth)))


def _number(builder: Any, kind: Register, bits: ir.Value) -> ir.Value:
    return builder.bitcast(bits, kind.holding(item_of(kind)))


def _all(builder: Any, kind: Register, number: int) -> ir.Value:
    return everywhere(builder, ir.Constant(ir.IntType(kind.dtype.bitwidth), number), kind.lanes)


def _power_of_two(typing: Any, k: Any) -> Any:
    """Return 2^k for whole k that a normal number can hold."""
    mantissa, bias, _ = _LAYOUT[k.dtype.bitwidth]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        whole = builder.fptosi(arguments[0], k.holding(ir.IntType(k.dtype.bitwidth)))
        biased = builder.add(whole, _all(builder, k, bias))
        return _number(builder, k, builder.shl(biased, _all(builder, k, mantissa)))

    return k(k), generate


def _exponent(typing: Any, x: Any) -> Any:
    """Return e of x = 2^e m, m within [sqrt(1/2), sqrt(2)), of a positive normal x."""
    mantissa, _, half = _LAYOUT[x.dtype.bitwidth]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        above = builder.sub(_bits(builder, x, arguments[0]), _all(builder, x, half))
        return builder.sitofp(builder.ashr(above, _all(builder, x, mantissa)), x.holding(item_of(x)))

    return x(x), generate


def _fraction(typing: Any, x: Any) -> Any:
    """Return m of x = 2^e m, as ``_exponent`` has it."""
    mantissa, _, half = _LAYOUT[x.dtype.bitwidth]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits, place = _bits(builder, x, arguments[0]), _all(builder, x, mantissa)
        exponent = builder.ashr(builder.sub(bits, _all(builder, x, half)), place)
        return _number(builder, x, builder.sub(bits, builder.shl(exponent, place)))

    return x(x), generate


def _bounded(builder: Any, kind: Register, bits: ir.Value) -> ir.Value:
    """Return the nearest power of two whose inverse is a normal number too, of bits that may be beyond."""
    mantissa, bias, _ = _LAYOUT[kind.dtype.bitwidth]
    for sign, bound in (("<", 1 << mantissa), (">", (2 * bias - 1) << mantissa)):
        limit = _all(builder, kind, bound)
        bits = builder.select(builder.icmp_signed(sign, bits, limit), limit, bits)
    return bits


def _scale(typing: Any, x: Any) -> Any:
    """Return a power of two s with 1 <= abs(x) s < 2; as near as it can be where x is 0, tiny, huge, or no number."""
    mantissa, bias, _ = _LAYOUT[x.dtype.bitwidth]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        own = _all(builder, x, (2 * bias + 1) << mantissa)
        exponent = builder.and_(_bits(builder, x, arguments[0]), own)
        bits = builder.sub(_all(builder, x, (2 * bias) << mantissa), exponent)
        return _number(builder, x, _bounded(builder, x, bits))

    return x(x), generate


def _undone(typing: Any, scale: Any) -> Any:
    """Return 1 / s of what ``scale`` gives, exactly."""
    mantissa, bias, _ = _LAYOUT[scale.dtype.bitwidth]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        top = _all(builder, scale, (2 * bias) << mantissa)
        return _number(builder, scale, builder.sub(top, _bits(builder, scale, arguments[0])))

    return scale(scale), generate


power_of_two: Any = intrinsic(_power_of_two)
exponent: Any = intrinsic(_exponent)
fraction: Any = intrinsic(_fraction)
scale: Any = intrinsic(_scale)
undone: Any = intrinsic(_undone)


# of log(1 + f) = f - f^2 / 2 + f^3 (c_0 + c_1 f + ...) on sqrt(1/2) <= 1 + f < sqrt(2) (Cephes, logf)
_SERIES = (
    *(3.3333331174e-1, -2.4999993993e-1, 2.0000714765e-1, -1.6668057665e-1, 1.4249322787e-1),
    *(-1.2420140846e-1, 1.1676998740e-1, -1.1514610310e-1, 7.0376836292e-2),
)
_COEFFICIENTS = tuple(float(c) for c in elementary.COEFFICIENTS)
_LARGEST, _SINGLE_LARGEST = elementary.LARGEST_EXPONENT, float(elementary.LARGEST_SINGLE_EXPONENT)
_HIGH, _LOW = elementary.LOG_2_HIGH, elementary.LOG_2_LOW
_SINGLE_HIGH, _SINGLE_LOW = float(elementary.SINGLE_LOG_2_HIGH), float(elementary.SINGLE_LOG_2_LOW)
_INVERSE = 1.4426950408889634
MOST_MULTIPLIED = 16.0


def exponential(x: Any) -> Any:
    """Return exp(x) in compiled code: in float32 to about one unit in its last place, beyond +-87 the value at +-87.

    In float64 to about 4e-16, beyond +-700 the value at +-700. The formulas are those of ``elementary``.
    """
    return x


def logarithm(x: Any) -> Any:
    """Return log(x) of positive, normal, finite numbers in compiled code.

    To about 1e-7 of max(1, abs(log x)) in float32; in float64 to about 2e-16 of it, as ``elementary.logarithm``.
    """
    return x


def ratio(x: Any, y: Any) -> Any:
    """Return x / y, y >= 0, to two units in its last place; what takes long is of y alone, and done once for many x."""
    return x


def quotient(x: Any, y: Any) -> Any:
    """Return x / y, y neither tiny nor huge, rounded as division rounds; what takes long is done once for each y."""
    return x


def smallest_normal(x: Any) -> Any:
    """Return the smallest positive number with all digits, in compiled code, of the type of the register x."""
    return x


def power(x: Any, p: Any) -> Any:
    """Return x^p of a register of positive, normal, finite numbers in compiled code, p a number.

    Of whole and half p up to ``MOST_MULTIPLIED`` by multiplications; of others as exp(p log x), whose error is p times
    that of the logarithm.
    """
    return x


@overload(smallest_normal)
def _smallest_normal(x):  # type: ignore[no-untyped-def]
    return _of_type(x, lambda x: 2.0**-126, lambda x: 2.0**-1022)


@overload(exponential)
def _exponential(x):  # type: ignore[no-untyped-def]
    def single(x):  # type: ignore[no-untyped-def]
        inside = chosen(x > -_SINGLE_LARGEST, x, -_SINGLE_LARGEST)
        inside = chosen(inside < _SINGLE_LARGEST, inside, _SINGLE_LARGEST)
        k = math.floor(multiply_add(inside, _INVERSE, 0.5))
        r = multiply_add(k, -_SINGLE_LOW, multiply_add(k, -_SINGLE_HIGH, inside))
        c0, c1, c2, c3, c4, c5 = _COEFFICIENTS
        series = multiply_add(r, multiply_add(r, c5, c4), c3)
        series = multiply_add(r, multiply_add(r, multiply_add(r, series, c2), c1), c0)
        return (1.0 + multiply_add(r * r, series, r)) * power_of_two(k)

    def double(x):  # type: ignore[no-untyped-def]
        inside = chosen(x > -_LARGEST, x, -_LARGEST)
        inside = chosen(inside < _LARGEST, inside, _LARGEST)
        k = math.floor(inside * _INVERSE + 0.5)
        r = (inside - k * _HIGH) - k * _LOW
        series = 1 / 40320 + r * (1 / 362880 + r * (1 / 3628800 + r * (1 / 39916800 + r * (1 / 479001600))))
        series = 1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040 + r * series)))
        return (1.0 + r * (1.0 + r * (1 / 2 + r * (1 / 6 + r * series)))) * power_of_two(k)

    return _of_type(x, single, double)


@overload(logarithm)
def _logarithm(x):  # type: ignore[no-untyped-def]
    def single(x):  # type: ignore[no-untyped-def]
        e, f = exponent(x), fraction(x) - 1.0
        c0, c1, c2, c3, c4, c5, c6, c7, c8 = _SERIES
        high = multiply_add(f, multiply_add(f, multiply_add(f, multiply_add(f, c8, c7), c6), c5), c4)
        low = multiply_add(f, multiply_add(f, multiply_add(f, multiply_add(f, high, c3), c2), c1), c0)
        z = f * f
        rest = multiply_add(z, -0.5, multiply_add(f * z, low, e * _SINGLE_LOW))
        return multiply_add(e, _SINGLE_HIGH, f + rest)

    def double(x):  # type: ignore[no-untyped-def]
        e, f = exponent(x), fraction(x) - 1.0
        s = f / (2.0 + f)
        z = s * s
        series = 1 / 15 + z * (1 / 17 + z * (1 / 19 + z * (1 / 21)))
        series = 1 / 7 + z * (1 / 9 + z * (1 / 11 + z * (1 / 13 + z * series)))
        series = 2.0 * s + 2.0 * s * z * (1 / 3 + z * (1 / 5 + z * series))
        return e * _HIGH + (series + e * _LOW)

    return _of_type(x, single, double)


@overload(power)
def _power(x, p):  # type: ignore[no-untyped-def]
    def raised(x, p):  # type: ignore[no-untyped-def]
        inside = 0.0 <= p <= MOST_MULTIPLIED
        halves = int(2.0 * p) if inside else 0
        if not inside or halves != 2.0 * p:
            return exponential(p * logarithm(x))
        found = chosen(x == x, 1.0, x)
        if halves & 1:
            found = math.sqrt(x)
        factor, left = x, halves >> 1
        while left:
            if left & 1:
                found = found * factor
            factor = factor * factor
            left >>= 1
        return found

    return raised if isinstance(x, Register) else None


@overload(ratio)
def _ratio(x, y):  # type: ignore[no-untyped-def]
    def divided(x, y):  # type: ignore[no-untyped-def]
        s = scale(y)
        return (x * s) * (1.0 / (y * s))

    return divided if isinstance(y, Register) else None


@overload(quotient)
def _quotient(x, y):  # type: ignore[no-untyped-def]
    def divided(x, y):  # type: ignore[no-untyped-def]
        inverse = 1.0 / y
        near = x * inverse
        # what is left is a number of x's type, and so is divided nearly enough (Markstein 1990); of infinity it is none
        left = multiply_add(-near, y, x)
        return chosen(abs(left) > 0.0, multiply_add(left, inverse, near), near)

    return divided if isinstance(y, Register) else None


def _of_type(x: Any, single: Any, double: Any) -> Any:
    if not isinstance(x, Register):
        return None
    return single if x.dtype == types.float32 else double
