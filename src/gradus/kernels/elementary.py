"""Logarithm and exponential in plain arithmetic, so that a loop over them becomes vector instructions.

Numba calls the C library for these, one number at a time, unless Intel's vector library is installed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from gradus.kernels.compilation import compiled

SQUARE_ROOT_OF_HALF = np.int64(0x3FE6A09E667F3BCD)
MANTISSA = np.int64(52)
BIAS = np.int64(1023)
LOG_2_HIGH = 0.693147180369123816490
LOG_2_LOW = 1.90821492927058770002e-10
LARGEST_EXPONENT = 700.0
SINGLE_MANTISSA = np.int32(23)
SINGLE_BIAS = np.int32(127)
LARGEST_SINGLE_EXPONENT = np.float32(87.0)
SINGLE_LOG_2_HIGH = np.float32(0.693359375)
SINGLE_LOG_2_LOW = np.float32(-2.12194440e-4)
LOG_2_INVERSE = np.float32(1.44269504)
HALF = np.float32(0.5)
# of exp(r) = 1 + r + r^2 (c_0 + c_1 r + ...), minimax on |r| <= log(2) / 2 (Cephes, expf)
COEFFICIENTS = tuple(
    np.float32(c)
    for c in (5.0000001201e-1, 1.6666665459e-1, 4.1665795894e-2, 8.3334519073e-3, 1.3981999507e-3, 1.9875691500e-4)
)
# of log(1 + f) = f - f^2 / 2 + f^3 (c_0 + c_1 f + ...) on sqrt(1/2) <= 1 + f < sqrt(2) (Cephes, logf)
SINGLE_SQUARE_ROOT_OF_HALF = np.int32(0x3F3504F3)
SERIES = tuple(
    np.float32(c)
    for c in (
        *(3.3333331174e-1, -2.4999993993e-1, 2.0000714765e-1, -1.6668057665e-1, 1.4249322787e-1),
        *(-1.2420140846e-1, 1.1676998740e-1, -1.1514610310e-1, 7.0376836292e-2),
    )
)


@compiled(inline="always")
def logarithm(x: float) -> float:
    """Return log(x) of a positive, normal, finite float64 to about 2e-16 of max(1, |log x|).

    With x = 2^e m and m within [sqrt(1/2), sqrt(2)), log(m) = 2 artanh(s), s = (m - 1) / (m + 1), as a series in s^2.
    """
    bits = np.float64(x).view(np.int64)
    exponent = (bits - SQUARE_ROOT_OF_HALF) >> MANTISSA
    fraction = np.int64(bits - (exponent << MANTISSA)).view(np.float64) - 1.0
    s = fraction / (2.0 + fraction)
    z = s * s
    series = 1 / 15 + z * (1 / 17 + z * (1 / 19 + z * (1 / 21)))
    series = 1 / 7 + z * (1 / 9 + z * (1 / 11 + z * (1 / 13 + z * series)))
    series = 2 * s + 2 * s * z * (1 / 3 + z * (1 / 5 + z * series))
    return exponent * LOG_2_HIGH + (series + exponent * LOG_2_LOW)


@compiled(inline="always")
def exponential(x: float) -> float:
    """Return exp(x) of a float64 to about 4e-16, relative; beyond +-700 the value at +-700.

    exp(x) = 2^k exp(r) with |r| <= log(2) / 2, and Taylor's series for the rest.
    """
    x = min(max(np.float64(x), -LARGEST_EXPONENT), LARGEST_EXPONENT)
    k = np.floor(x * 1.4426950408889634 + 0.5)
    r = (x - k * LOG_2_HIGH) - k * LOG_2_LOW
    series = 1 / 40320 + r * (1 / 362880 + r * (1 / 3628800 + r * (1 / 39916800 + r * (1 / 479001600))))
    series = 1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040 + r * series)))
    series = 1.0 + r * (1.0 + r * (1 / 2 + r * (1 / 6 + r * series)))
    scaled: float = series * np.int64((np.int64(k) + BIAS) << MANTISSA).view(np.float64)
    return scaled


@compiled(inline="always")
def single_exponential(x: float) -> float:
    """Return exp(x) of a float32 to about one unit in its last place; beyond +-87 the value at +-87.

    As ``exponential``, with a polynomial that is nearest to exp(r) instead of Taylor's, and every number a float32.
    """
    inside = min(max(np.float32(x), -LARGEST_SINGLE_EXPONENT), LARGEST_SINGLE_EXPONENT)
    k = np.floor(inside * LOG_2_INVERSE + HALF)
    r = (inside - k * SINGLE_LOG_2_HIGH) - k * SINGLE_LOG_2_LOW
    c0, c1, c2, c3, c4, c5 = COEFFICIENTS
    series = c0 + r * (c1 + r * (c2 + r * (c3 + r * (c4 + r * c5))))
    series = np.float32(1.0) + (r + r * r * series)
    scaled: float = series * np.int32((np.int32(k) + SINGLE_BIAS) << SINGLE_MANTISSA).view(np.float32)
    return scaled


@compiled(inline="always")
def single_logarithm(x: Any) -> Any:
    """Return log(x) of a positive, normal, finite float32 to about 1e-7 of max(1, |log x|), every number a float32."""
    bits = np.float32(x).view(np.int32)
    exponent = np.int32((bits - SINGLE_SQUARE_ROOT_OF_HALF) >> SINGLE_MANTISSA)
    f = np.int32(bits - np.int32(exponent << SINGLE_MANTISSA)).view(np.float32) - np.float32(1.0)
    e = np.float32(exponent)
    c0, c1, c2, c3, c4, c5, c6, c7, c8 = SERIES
    series = c0 + f * (c1 + f * (c2 + f * (c3 + f * (c4 + f * (c5 + f * (c6 + f * (c7 + f * c8)))))))
    z = f * f
    return (f + (f * z * series + e * SINGLE_LOG_2_LOW - HALF * z)) + e * SINGLE_LOG_2_HIGH


def number_as(like: Any, x: Any) -> Any:
    """Return x in the type of ``like``, in compiled code: a plain 0.0 would turn what it is mixed with into float64."""
    return x


def exponential_as(like: Any, x: Any) -> Any:
    """Return exp(x) by the function for the type of ``like``, in compiled code."""
    return exponential(x)


def logarithm_as(like: Any, x: Any) -> Any:
    """Return log(x) by the function for the type of ``like``, in compiled code."""
    return logarithm(x)


@overload(number_as, inline="always")
def _number_as(like, x):  # type: ignore[no-untyped-def]
    if like == types.float32:
        return lambda like, x: np.float32(x)
    return lambda like, x: x


@overload(exponential_as, inline="always")
def _exponential_as(like, x):  # type: ignore[no-untyped-def]
    if like == types.float32:
        return lambda like, x: single_exponential(np.float32(x))  # type: ignore[arg-type]
    return lambda like, x: exponential(x)


@overload(logarithm_as, inline="always")
def _logarithm_as(like, x):  # type: ignore[no-untyped-def]
    if like == types.float32:
        return lambda like, x: single_logarithm(np.float32(x))
    return lambda like, x: logarithm(x)
