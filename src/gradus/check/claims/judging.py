"""One claim, tried at many points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradus.check.claims.points import complexity, described, random_points, simpler, small_points
from gradus.check.claims.sides import DIGITS, Precision, Sides, converted, indexed_axes, named_sizes
from gradus.check.claims.verdict import ClaimVerdict, Judgement
from gradus.core.errors import GradusError
from gradus.derive.errors import line_and_column
from gradus.derive.points import Point

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradus.derive.document import Claim, Document
    from gradus.derive.program import Program

POINTS = 20
# larger values say nothing about each other
LARGEST = 1e300


class Difference(NamedTuple):
    """An entry in which two sides differ."""

    point: Point
    entry: tuple[int, ...]
    left: Any
    right: Any


def judge(document: Document, program: Program, claim: Claim, seed: int = 0) -> ClaimVerdict:
    """Return what can be said of ``claim``.

    The left side's derivative is taken by differences of the target as it was written, never by the derivation, in
    float64 and with 50 digits.

    Raises
    ------
    FormulaError : if a side means nothing, or their shapes differ
    """
    sides = Sides.of(document, program, claim)
    line = line_and_column(document.text, claim.span.start)[0]
    generator = np.random.default_rng(seed)
    found = _smallest_counterexample(sides, generator)
    if found is not None:
        return _refuted(document, sides, found, line)
    agreed, difference = _agreeing(sides, generator)
    if difference is not None:
        return _refuted(document, sides, difference, line)
    if agreed < POINTS // 2:
        why = f"both sides have a finite value and no kink at {agreed} of {POINTS} random points only"
        return ClaimVerdict(claim.source, line, Judgement.UNDECIDED, why)
    digits = Precision.double().digits, Precision.high().digits
    because = (
        f"at {agreed} random points of {_domain(program)}, to {digits[0]} digits in float64 and {digits[1]} of {DIGITS}"
    )
    return ClaimVerdict(claim.source, line, Judgement.AGREES, because)


def difference_at(sides: Sides, point: Point, precision: Precision) -> Difference | bool | None:
    """Return where two sides differ at a point, None where they agree, False where that cannot be said."""
    try:
        left, right, smooth = sides.values(Point(point.sizes, converted(point.values, precision)), precision)
    except (ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError):
        # no value, or, as W[1,j] of a matrix with one row, no such entry
        return False
    if not smooth or not (_finite(left) and _finite(right)):
        return False
    allowed = 10.0**-precision.digits * (1 + np.abs(left) + np.abs(right))
    wrong = np.argwhere(np.asarray(np.abs(left - right) > allowed, dtype=bool))
    if not len(wrong):
        return None
    index = tuple(int(k) for k in wrong[0])
    return Difference(point, index, left[index], right[index])


def _smallest_counterexample(sides: Sides, generator: np.random.Generator) -> Difference | None:
    double, high = Precision.double(), Precision.high()
    for group in small_points(sides.program, generator):
        for point in sorted(group, key=complexity):
            seen = difference_at(sides, point, double)
            if isinstance(seen, Difference):
                certain = difference_at(sides, point, high)
                if isinstance(certain, Difference):
                    return _simplest(sides, certain)
    return None


def _simplest(sides: Sides, found: Difference) -> Difference:
    """Return a difference at the plainest point that one entry after the other leads to."""
    for point in simpler(found.point, sides.program):
        seen = difference_at(sides, point, Precision.high())
        if isinstance(seen, Difference):
            return _simplest(sides, seen)
    return found


def _agreeing(sides: Sides, generator: np.random.Generator) -> tuple[int, Difference | None]:
    double, high = Precision.double(), Precision.high()
    agreed = 0
    for point in random_points(sides.program, generator, POINTS):
        seen = [difference_at(sides, point, precision) for precision in (double, high)]
        if isinstance(seen[1], Difference):
            return agreed, seen[1]
        agreed += seen == [None, None]
    return agreed, None


def _refuted(document: Document, sides: Sides, found: Difference, line: int) -> ClaimVerdict:
    names = list(named_sizes(indexed_axes(sides.program, sides.claim)))
    index = ", ".join(f"{name} = {k}" for name, k in zip(names, found.entry, strict=False))
    rest = "" if len(found.entry) <= len(names) else f", entry {list(found.entry[len(names) :])}"
    where = ", ".join(part for part in (described(found.point), index) if part) + rest
    left, right = _number(found.left), _number(found.right)
    because = f"at {where}: the left side is {left}, the right side {right}"
    truth, missing = _truth(document, sides)
    return ClaimVerdict(sides.claim.source, line, Judgement.REFUTED, because, truth, missing)


def _truth(document: Document, sides: Sides) -> tuple[str, str]:
    """Return the closed form and what the claim lacks, as far as they can be derived."""
    from gradus.check.claims.missing import closed_form_and_missing

    if sides.claim.differential is None:
        return "", ""
    try:
        return closed_form_and_missing(document, sides.claim)
    except GradusError:
        # the counterexample stands; only its explanation is left out
        return "", ""


def _finite(values: NDArray[Any]) -> bool:
    numbers = [complex(v) for v in np.asarray(values).flat]
    return all(number.imag == 0 and abs(number.real) < LARGEST for number in numbers)


def _number(value: Any) -> str:
    from fractions import Fraction

    close = Fraction(str(value)).limit_denominator(1000)
    if abs(float(close) - float(value)) < 1e-13 * (1 + abs(float(value))):
        return str(close)
    return f"{float(value):.6g}"


def _domain(program: Program) -> str:
    from gradus.derive.declarations import DOMAINS

    told = [
        f"{name} ({', '.join(DOMAINS[d] for d in sorted(v.domains))})"
        for name, v in program.variables.items()
        if v.domains
    ]
    return "the declared domain" + (f": {'; '.join(told)}" if told else " (real numbers)")
