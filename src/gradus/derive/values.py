"""Values that a person gives for a point: read from text, checked against the declared shapes and domains."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.core.errors import InputError, did_you_mean
from gradus.derive.points import Point

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gradus.derive.declarations import Variable
    from gradus.derive.program import Program

TOLERANCE = 1e-6


def read_values(text: str) -> dict[str, Any]:
    """Read ``x=1,y=[1, 2]`` into a dictionary of numbers and nested lists.

    Raises
    ------
    InputError : with what stands there instead

    Examples
    --------
    >>> read_values("x=1, W=[[1,2],[3,4]]")
    {'x': 1, 'W': [[1, 2], [3, 4]]}
    """
    found: dict[str, Any] = {}
    for piece in _pieces(text):
        name, equals, value = piece.partition("=")
        if not equals or not name.strip():
            raise InputError(f"--at {piece.strip()!r} is no value, expected NAME=VALUE, as x=1 or x=[1,2]")
        try:
            found[name.strip()] = json.loads(value)
        except json.JSONDecodeError:
            raise InputError(
                f"--at {name.strip()}: {value.strip()!r} is neither a number nor a list, "
                "expected 1.5 or [1,2] or [[1,2],[3,4]]"
            ) from None
    return found


def _pieces(text: str) -> list[str]:
    pieces, depth, start = [], 0, 0
    for place, character in enumerate(text):
        depth += (character == "[") - (character == "]")
        if character in ",;" and depth == 0:
            pieces.append(text[start:place])
            start = place + 1
    return [piece for piece in [*pieces, text[start:]] if piece.strip()]


def point_from(program: Program, values: Mapping[str, Any]) -> Point:
    """Return the point with ``values``; the sizes are those of the arrays.

    Raises
    ------
    InputError : a variable is missing or unknown, or has another shape or domain than declared
    """
    for name in values:
        if name not in program.variables:
            advice = did_you_mean(name, program.variables)
            raise InputError(f"--at {name}: there is no such variable{advice}, expected {', '.join(program.variables)}")
    sizes: dict[str, int] = {}
    arrays: dict[str, NDArray[np.float64]] = {}
    for name, variable in program.variables.items():
        if name not in values:
            raise InputError(f"--at has no value for {name}: give one for every variable, as {name}=1")
        arrays[name] = _array(variable, values[name], sizes)
    return Point(sizes, arrays)


def _array(variable: Variable, value: Any, sizes: dict[str, int]) -> NDArray[np.float64]:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"--at {variable.name}: the value is no array of numbers") from None
    expected = f"({', '.join(map(str, variable.shape))})"
    if array.ndim != len(variable.shape) or not np.isfinite(array).all():
        raise InputError(
            f"--at {variable.name}: a value of shape {array.shape} was given, "
            f"expected finite numbers of shape {expected}"
        )
    for size, given in zip(variable.shape, array.shape, strict=True):
        wanted = sizes.setdefault(size, given) if isinstance(size, str) else size
        if wanted != given:
            raise InputError(f"--at {variable.name}: the size {size} is {given} here, and {wanted} elsewhere")
    _check_domains(variable, array)
    return array


def _check_domains(variable: Variable, array: NDArray[np.float64]) -> None:
    checks = {
        "positive": lambda: bool((array > 0).all()),
        "nonnegative": lambda: bool((array >= 0).all()),
        "simplex": lambda: bool((array >= 0).all() and np.allclose(array.sum(axis=-1), 1, atol=TOLERANCE)),
        "joint": lambda: bool((array >= 0).all() and np.isclose(array.sum(), 1, atol=TOLERANCE)),
        "symmetric": lambda: np.allclose(array, array.T, atol=TOLERANCE),
        "spd": lambda: np.allclose(array, array.T, atol=TOLERANCE) and bool((np.linalg.eigvalsh(array) > 0).all()),
        "orthogonal": lambda: np.allclose(array @ array.T, np.eye(len(array)), atol=TOLERANCE),
        "hollow": lambda: bool((np.diagonal(array) == 0).all()),
        "integer": lambda: bool((array == np.round(array)).all()),
    }
    for domain in sorted(variable.domains):
        if not checks[domain]():
            raise InputError(f"--at {variable.name}: the value is not {domain}, as it was declared")


def shown(value: Any) -> str:
    """Return a value with four digits.

    Examples
    --------
    >>> shown(0.73105857), shown(np.array([1.0, 2.5]))
    ('0.7311', '[1, 2.5]')
    """
    array = np.asarray(value, dtype=np.float64)
    if array.ndim == 0:
        return f"{float(array):.4g}"
    return "[" + ", ".join(shown(row) for row in array) + "]"
