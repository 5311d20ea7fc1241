"""Points to evaluate at: sizes for the names of sizes, and values drawn from the declared domains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gradus.derive.declarations import Variable
    from gradus.derive.program import Program

SMALL = (3, 2, 4, 5)


@dataclass(frozen=True, slots=True)
class Point:
    """Values for every variable, and a number for every named size."""

    sizes: Mapping[str, int]
    values: Mapping[str, NDArray[np.float64]]


def small_sizes(program: Program) -> dict[str, int]:
    """Return small sizes, different for different names as far as four go, so that a transpose is noticed."""
    return {name: SMALL[place % len(SMALL)] for place, name in enumerate(program.sizes)}


def draw_point(program: Program, generator: np.random.Generator, sizes: Mapping[str, int] | None = None) -> Point:
    """Draw a value for every variable from its domain; cost is that of the arrays.

    Parameters
    ----------
    program : what is to be evaluated
    generator : the source of randomness
    sizes : a number for every named size; small different ones by default
    """
    sizes = small_sizes(program) if sizes is None else sizes
    values = {name: draw(variable, sizes, generator) for name, variable in program.variables.items()}
    return Point(sizes, values)


def draw(variable: Variable, sizes: Mapping[str, int], generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw one array from the domains of ``variable``: away from zero, of size about 1."""
    shape = tuple(sizes[s] if isinstance(s, str) else s for s in variable.shape)
    domains = variable.domains
    values: NDArray[np.float64]
    if "orthogonal" in domains:
        values = np.linalg.qr(generator.normal(size=shape))[0]
        return values
    if "spd" in domains:
        root = generator.normal(size=shape)
        return root @ root.T + np.eye(shape[0])
    if "integer" in domains:
        low = 1 if "positive" in domains else 0 if "nonnegative" in domains else -4
        values = generator.integers(low, 6, size=shape).astype(np.float64)
    elif domains & {"positive", "nonnegative", "simplex", "joint"}:
        values = generator.uniform(0.2, 2.0, size=shape)
    else:
        values = generator.normal(size=shape)
        values = np.asarray(values + np.copysign(0.1, values))
    if "symmetric" in domains:
        values = (values + values.T) / 2
    if "hollow" in domains:
        values = values * (1 - np.eye(shape[0]))
    if "simplex" in domains:
        values = values / values.sum(axis=-1, keepdims=True)
    if "joint" in domains:
        values = values / values.sum()
    return np.asarray(values, dtype=np.float64)
