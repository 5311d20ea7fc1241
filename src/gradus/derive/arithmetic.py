"""The numbers an expression is evaluated in: float64 arrays, or arrays of exact fractions or of mpmath's numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.derive.array_functions import EXACT_ARRAY_FUNCTIONS, FLOAT_ARRAY_FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How to convert a number, raise to a power, and compute functions of numbers and of arrays.

    ``of_arrays`` map arrays of shape ``(*batch, *shape)`` to ``(*batch, *result)``.
    """

    convert: Callable[[Fraction], Any]
    power: Callable[[Any, Any], Any]
    of_numbers: Mapping[str, Callable[..., Any]]
    of_arrays: Mapping[str, Callable[..., Any]]
    constants: Mapping[str, Any]


def _erf(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.vectorize(math.erf, otypes=[np.float64])(values))


def _float_power(base: NDArray[np.float64], exponent: NDArray[np.float64]) -> NDArray[np.float64]:
    if np.ndim(exponent) == 0 and float(exponent).is_integer() and abs(float(exponent)) <= 4:
        whole = int(exponent)
        product = base ** abs(whole)
        return product if whole >= 0 else 1.0 / product
    return np.power(base, exponent)


_FLOAT_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "sigmoid": lambda x: 0.5 * (1 + np.tanh(0.5 * x)),
    "softplus": lambda x: np.logaddexp(0.0, x),
    "relu": lambda x: np.maximum(x, 0.0),
    "abs": np.abs,
    "sin": np.sin,
    "cos": np.cos,
    "erf": _erf,
    "sign": np.sign,
    "step": lambda x: (x > 0).astype(np.float64),
    "huber": lambda x, d: np.where(np.abs(x) <= d, x * x / 2, d * (np.abs(x) - d / 2)),
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "maximum": np.maximum,
    "minimum": np.minimum,
}
FLOAT = Arithmetic(float, _float_power, _FLOAT_FUNCTIONS, FLOAT_ARRAY_FUNCTIONS, {"pi": math.pi})


def _each(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arrays: np.asarray(np.frompyfunc(function, len(arrays), 1)(*arrays), dtype=object)


def _sign(x: Any) -> int:
    return int(x > 0) - int(x < 0)


_COMPARING: dict[str, Callable[..., Any]] = {
    "relu": lambda x: x if x > 0 else 0 * x,
    "abs": abs,
    "sign": _sign,
    "step": lambda x: int(x > 0),
    "huber": lambda x, d: x * x / 2 if abs(x) <= d else d * (abs(x) - d / 2),
    "clip": lambda x, low, high: min(max(x, low), high),
    "maximum": lambda a, b: a if a > b else b,
    "minimum": lambda a, b: a if a < b else b,
}


def _fraction_power(base: Any, exponent: Any) -> Any:
    exponent = Fraction(exponent)
    if exponent.denominator == 1:
        return Fraction(base) ** int(exponent)
    if exponent.denominator == 2 and base >= 0:
        base = Fraction(base)
        roots = Fraction(math.isqrt(base.numerator), math.isqrt(base.denominator))
        if roots * roots == base:
            return roots ** int(exponent * 2)
    raise ArithmeticError(f"{base} ^ {exponent} is no fraction")


def _no_fraction(name: str) -> Callable[..., Any]:
    def refuse(*_: Any) -> Any:
        raise ArithmeticError(f"{name} of a fraction is no fraction")

    return refuse


FRACTIONS = Arithmetic(
    lambda value: value,
    _each(_fraction_power),
    {name: _each(_COMPARING[name]) if name in _COMPARING else _no_fraction(name) for name in _FLOAT_FUNCTIONS},
    {
        name: _no_fraction(name) if name in {"softmax", "logsumexp", "logdet"} else function
        for name, function in EXACT_ARRAY_FUNCTIONS(_no_fraction("exp"), _no_fraction("log")).items()
    },
    {},
)


def high_precision(digits: int) -> Arithmetic:
    """Return mpmath's arithmetic with ``digits`` decimal digits; its context is its own.

    Raises
    ------
    ImportError : without mpmath
    """
    import mpmath

    context = mpmath.mp.clone()
    context.dps = digits
    smooth: dict[str, Callable[..., Any]] = {
        "exp": context.exp,
        "log": context.log,
        "log1p": context.log1p,
        "tanh": context.tanh,
        "sigmoid": lambda x: 1 / (1 + context.exp(-x)),
        "softplus": lambda x: context.log1p(context.exp(-abs(x))) + max(x, 0),
        "sin": context.sin,
        "cos": context.cos,
        "erf": context.erf,
    }
    return Arithmetic(
        lambda value: context.mpf(value.numerator) / value.denominator,
        _each(lambda base, exponent: context.mpf(base) ** exponent),
        {name: _each(function) for name, function in (smooth | _COMPARING).items()},
        EXACT_ARRAY_FUNCTIONS(context.exp, context.log),
        {"pi": +context.pi},
    )
