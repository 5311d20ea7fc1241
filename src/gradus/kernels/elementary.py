"""Logarithm and exponential in plain arithmetic, so that a loop over them becomes vector instructions.

Numba calls the C library for these, one number at a time, unless Intel's vector library is installed.
"""

from __future__ import annotations

import numpy as np

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


@compiled(inline="always")
def logarithm(x: float) -> float:
    """Return log(x) of a positive, normal, finite float64 to about 2e-16 of max(1, |log x|).

    With x = 2^e m and m within [sqrt(1/2), sqrt(2)), log(m) = 2 artanh(s), s = (m - 1) / (m + 1), as a series in s^2.
    """
    bits = np.float64(x).view(np.int64)
    exponent = (bits - SQUARE_ROOT_OF_HALF) >> MANTISSA
    fraction = np.int64(bits - (exponent << MANTISSA)).view(np.float64) - 1.0
    return _logarithm_of_parts(fraction, exponent)


@compiled(inline="always")
def logarithm_above_one(x: float) -> float:
    """Return log(1 + x) of x >= 0, finite, to about 4e-16 of itself, however small it is."""
    bits = np.float64(1.0 + x).view(np.int64)
    exponent = (bits - SQUARE_ROOT_OF_HALF) >> MANTISSA
    fraction = np.int64(bits - (exponent << MANTISSA)).view(np.float64) - 1.0
    # what 1 + x was rounded by would be all of a small x
    return _logarithm_of_parts(x if exponent == 0 else fraction, exponent)


@compiled(inline="always")
def _logarithm_of_parts(fraction: float, exponent: np.signedinteger) -> float:
    """Return log(2^exponent (1 + fraction))."""
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
