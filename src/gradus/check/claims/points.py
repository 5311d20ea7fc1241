"""Points at which claims are tried: small whole numbers and fractions first, then random ones; all of them exact."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.derive.points import Point

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from gradus.derive.declarations import Variable
    from gradus.derive.program import Program

LARGEST_SIZE, TRIES = 3, 16
# random numbers are multiples of 1 / PARTS, between -LARGEST and LARGEST
PARTS, LARGEST = 64, 2


def small_points(program: Program, generator: np.random.Generator) -> Iterator[list[Point]]:
    """Yield points with small exact values, in groups of equal sizes, the smallest sizes first.

    The first of a group are made of zeros and of ones (or what is next to them in the domain), then come small whole
    numbers at random.
    """
    names = program.sizes
    every = sorted(itertools.product(range(1, LARGEST_SIZE + 1), repeat=len(names)), key=lambda n: (sum(n), n))
    for numbers in every[:27]:
        sizes = dict(zip(names, numbers, strict=True))
        yield [Point(sizes, _small(program, sizes, turn, generator)) for turn in range(TRIES)]


def random_points(program: Program, generator: np.random.Generator, count: int) -> Iterator[Point]:
    """Yield random points of the declared domains."""
    for turn in range(count):
        numbers = generator.permutation(np.arange(2, 2 + max(len(program.sizes), 1)))
        sizes = {name: int(numbers[k]) + turn % 2 for k, name in enumerate(program.sizes)}
        values = {}
        for name, variable in program.variables.items():
            drawn = generator.integers(1, LARGEST * PARTS, size=_shape(variable, sizes))
            drawn = drawn * generator.choice([-1, 1], size=drawn.shape)
            parts = 1 if "integer" in variable.domains else PARTS
            values[name] = in_domain(variable, _exact(drawn) / parts, generator)
        yield Point(sizes, values)


def simpler(point: Point, program: Program) -> Iterator[Point]:
    """Yield points that differ in one entry, which is a plainer number; of domains that entries leave alone only."""
    for name, array in point.values.items():
        domains = program.variables[name].domains
        if domains - {"positive", "nonnegative", "integer"}:
            continue
        for place, value in enumerate(_fractions(array)):
            for plain in (0, 1):
                if (plain or "positive" not in domains) and _cost(Fraction(plain)) < _cost(value):
                    changed = array.copy()
                    changed.flat[place] = Fraction(plain)
                    yield Point(point.sizes, {**point.values, name: changed})


def complexity(point: Point) -> Fraction:
    """Return how hard a point is to read: the sizes of its numerators and denominators."""
    return sum((_cost(value) for array in point.values.values() for value in _fractions(array)), Fraction(0))


def described(point: Point) -> str:
    """Return a point as a person writes it.

    Examples
    --------
    >>> described(Point({"D": 2}, {"x": np.array([Fraction(1), Fraction(-1, 2)])}))
    'D = 2, x = [1, -1/2]'
    """
    parts = [f"{name} = {size}" for name, size in point.sizes.items()]
    return ", ".join([*parts, *(f"{name} = {_written(array)}" for name, array in point.values.items())])


def in_domain(variable: Variable, numbers: NDArray[Any], generator: np.random.Generator) -> NDArray[Any]:
    """Return exact numbers moved into the domain of ``variable``."""
    domains = variable.domains
    if "orthogonal" in domains:
        return _orthogonal(len(numbers), generator, plain=not numbers.any())
    if "spd" in domains:
        return np.asarray(_exact(np.eye(len(numbers), dtype=int)) + numbers @ numbers.T, dtype=object)
    if domains & {"positive", "nonnegative", "simplex", "joint"}:
        numbers = abs(numbers)
    if "positive" in domains:
        numbers = numbers + (numbers == 0)
    if "symmetric" in domains:
        numbers = np.triu(numbers) + np.triu(numbers, 1).T
    if "hollow" in domains:
        numbers = numbers * (1 - np.eye(len(numbers), dtype=int))
    if domains & {"simplex", "joint"}:
        numbers = _shares(numbers, joint="joint" in domains, hollow="hollow" in domains)
    return np.asarray(numbers, dtype=object)


def _small(
    program: Program, sizes: Mapping[str, int], turn: int, generator: np.random.Generator
) -> dict[str, NDArray[Any]]:
    reach = 1 if turn < TRIES // 2 else 3
    values = {}
    for name, variable in program.variables.items():
        shape = _shape(variable, sizes)
        numbers = generator.integers(-reach, reach + 1, size=shape) if turn > 1 else np.full(shape, turn)
        values[name] = in_domain(variable, _exact(numbers), generator)
    return values


def _shape(variable: Variable, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(sizes[s] if isinstance(s, str) else s for s in variable.shape)


def _shares(numbers: NDArray[Any], *, joint: bool, hollow: bool) -> NDArray[Any]:
    """Return rows (or all entries together) divided by their sum; all in the first entry where that is 0."""
    flat = numbers.reshape((1, -1) if joint else (-1, numbers.shape[-1])).copy()
    for row in flat:
        if not any(row):
            if hollow:
                row[:] = _exact(1 - np.eye(len(numbers), dtype=int)).reshape(row.shape)
            else:
                row[0] = Fraction(1)
        total = sum(row, Fraction(0))
        row[:] = [value / total if total else value for value in row]
    return flat.reshape(numbers.shape)


def _orthogonal(size: int, generator: np.random.Generator, *, plain: bool) -> NDArray[Any]:
    """Return a product of rotations by the angle whose cosine is 3/5; the identity where a plain one is wanted."""
    matrix = _exact(np.eye(size, dtype=int))
    for _ in range(0 if plain else 2 * size):
        first, second = generator.integers(size, size=2)
        if first != second:
            pair = matrix[[first, second]].copy()
            matrix[first] = (3 * pair[0] - 4 * pair[1]) / 5
            matrix[second] = (4 * pair[0] + 3 * pair[1]) / 5
    return matrix


def _exact(values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.frompyfunc(lambda v: Fraction(int(v)), 1, 1)(values), dtype=object)


def _fractions(array: NDArray[Any]) -> list[Fraction]:
    return list(np.asarray(array, dtype=object).ravel().tolist())


def _cost(value: Fraction) -> Fraction:
    return abs(value.numerator) + value.denominator - 1 + Fraction(value < 0, 2)


def _written(array: NDArray[Any]) -> str:
    array = np.asarray(array, dtype=object)
    return str(array.item()) if array.ndim == 0 else "[" + ", ".join(_written(row) for row in array) + "]"
