"""What a variant's functions are made of, for Triton: the words of ``registers`` and ``register_functions``.

A variant is written once. ``WORDS`` is what the names in its functions mean when Triton reads them.
"""

from __future__ import annotations

import math
from types import ModuleType

import triton
import triton.language as tl

_LOG_2_HIGH, _LOG_2_LOW = tl.constexpr(0.693145751953125), tl.constexpr(1.428606765330187e-06)
_LOG_2_E = tl.constexpr(math.log2(math.e))


@triton.jit
def chosen(mask, yes, no):
    """Return one or the other, place by place."""
    return tl.where(mask, yes, no)


@triton.jit
def absolute(x):
    """Return the magnitude."""
    return tl.abs(x)


@triton.jit
def root(x):
    """Return the square root, rounded as it should be."""
    return tl.sqrt(x) if x.dtype == tl.float64 else tl.sqrt_rn(x)


@triton.jit
def exponential(x):
    """Return exp(x); in float32 beyond +-87 the value at +-87, in float64 beyond +-700 that at +-700.

    The approximate 2^r of the device is relatively right near r = 0 only: whole powers of two are taken apart.
    """
    most: tl.constexpr = 700.0 if x.dtype == tl.float64 else 87.0
    bounded = tl.minimum(tl.maximum(x, -most, tl.PropagateNan.ALL), most, tl.PropagateNan.ALL)
    if x.dtype == tl.float64:
        raised = tl.exp(bounded)
    else:
        whole = tl.floor(bounded * _LOG_2_E + 0.5)
        rest = (bounded - whole * _LOG_2_HIGH) - whole * _LOG_2_LOW
        raised = tl.exp2(rest * _LOG_2_E) * tl.exp2(whole)
    return raised


@triton.jit
def logarithm(x):
    """Return log(x) of positive, normal, finite numbers."""
    return tl.log(x)


@triton.jit
def ratio(x, y):
    """Return x / y, y >= 0, to two units in its last place."""
    return x / y


@triton.jit
def quotient(x, y):
    """Return x / y, y neither tiny nor huge, rounded as division rounds: what is left of x is divided once more."""
    if x.dtype == tl.float64:
        found = x / y
    else:
        inverse = 1.0 / y
        near = x * inverse
        left = tl.fma(-near, y, x)
        found = tl.where(tl.abs(left) > 0.0, tl.fma(left, inverse, near), near)
    return found


@triton.jit
def power(x, p):
    """Return x^p of positive, normal, finite numbers."""
    return exponential(p * logarithm(x))


@triton.jit
def smallest_normal(x):
    """Return the smallest positive number with all digits, of the type of x."""
    return 2.2250738585072014e-308 if x.dtype == tl.float64 else 1.1754943508222875e-38


@triton.jit
def scale(x):
    """Return a power of two s with 1 <= abs(x) s < 2; as near as it can be where x is 0, tiny, huge, or no number."""
    if x.dtype == tl.float64:
        field = (x.to(tl.int64, bitcast=True) >> 52) & 2047
        power_of_two = ((2046 - tl.minimum(tl.maximum(field, 1), 2045)) << 52).to(tl.float64, bitcast=True)
    else:
        field = (x.to(tl.int32, bitcast=True) >> 23) & 255
        power_of_two = ((254 - tl.minimum(tl.maximum(field, 1), 253)) << 23).to(tl.float32, bitcast=True)
    return power_of_two


@triton.jit
def undone(factor):
    """Return 1 / s of what ``scale`` gives, exactly."""
    return 1.0 / factor if factor.dtype == tl.float64 else tl.div_rn(1.0, factor)


def _mathematics() -> ModuleType:
    """Return what stands for the module ``math``: of it, variants use infinity and the square root."""
    module = ModuleType("math")
    vars(module).update(inf=math.inf, sqrt=root)
    return module


WORDS = {
    "Any": tl.tensor,
    "tl": tl,
    "math": _mathematics(),
    "abs": absolute,
    "chosen": chosen,
    "exponential": exponential,
    "logarithm": logarithm,
    "power": power,
    "quotient": quotient,
    "ratio": ratio,
    "scale": scale,
    "smallest_normal": smallest_normal,
    "undone": undone,
}
