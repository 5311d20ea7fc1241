"""Points in small integers and fractions, for counterexamples that a person can check by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradus.derive.declarations import Variable
    from gradus.derive.program import Program


def draw_exact(
    program: Program, generator: np.random.Generator, sizes: Mapping[str, int], *, largest: int = 3
) -> dict[str, Any]:
    """Draw arrays of fractions from the declared domains: integers up to ``largest``, simplexes as their quotients.

    Cost: that of the arrays. The result goes into ``Point(sizes, values)`` for exact arithmetic; convert with
    ``astype(float)`` for floating point.

    Examples
    --------
    >>> from gradus.derive.lowering import read_program
    >>> program = read_program("y: simplex(K); f = sum(y)")
    >>> sum(draw_exact(program, np.random.default_rng(0), {"K": 3})["y"])
    Fraction(1, 1)
    """
    return {name: _draw(variable, generator, sizes, largest) for name, variable in program.variables.items()}


def _draw(variable: Variable, generator: np.random.Generator, sizes: Mapping[str, int], largest: int) -> Any:
    shape = tuple(sizes[s] if isinstance(s, str) else s for s in variable.shape)
    domains = variable.domains
    if "orthogonal" in domains:
        order = generator.permutation(shape[0])
        return _fractions(np.eye(shape[0], dtype=int)[order] * generator.choice([-1, 1], size=shape[0]))
    if "spd" in domains:
        root = np.tril(generator.integers(-1, 2, size=shape), -1) + np.diag(generator.integers(1, 3, size=shape[0]))
        return _fractions(root @ root.T)
    above_zero = bool(domains & {"positive", "nonnegative", "simplex", "joint"})
    values = generator.integers(1 if above_zero else -largest, largest + 1, size=shape)
    if "symmetric" in domains:
        values = np.tril(values) + np.tril(values, -1).T
    if "hollow" in domains:
        values = values * (1 - np.eye(shape[0], dtype=int))
    found = _fractions(values)
    if "simplex" in domains:
        found = found / found.sum(axis=-1, keepdims=True)
    if "joint" in domains:
        found = found / found.sum()
    return found


def _fractions(values: Any) -> Any:
    found = np.empty(np.shape(values), dtype=object)
    for place in np.ndindex(*np.shape(values)):
        found[place] = Fraction(int(np.asarray(values)[place]))
    return found
