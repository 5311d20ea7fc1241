"""Constructors that keep expressions in normal form: like terms merged, powers collected, deltas eliminated.

A product is a number times distinct atoms with exponents times connected sums; a sum over an index has no factor
that does not need the index. Nothing is multiplied out.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from gradus.derive.binding import closed, opened, substitute
from gradus.derive.index_form import (
    Add,
    Expression,
    Extent,
    Function,
    Index,
    Mask,
    Multiply,
    Number,
    Power,
    Sum,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gradus.derive.index_form import Position

ZERO, ONE, TWO = Number(Fraction(0)), Number(Fraction(1)), Number(Fraction(2))
MINUS_ONE, HALF = Number(Fraction(-1)), Number(Fraction(1, 2))
LARGEST_POWER = 64


def number(value: float | Fraction) -> Number:
    """Return an exact number."""
    return Number(Fraction(value))


def extent(size: int | str) -> Expression:
    """Return a size as a number."""
    return Extent(size) if isinstance(size, str) else number(size)


def mask(relation: str, left: Position, right: Position) -> Expression:
    """Return the indicator of ``left relation right``, decided where it can be."""
    if left == right:
        return ONE if relation in {"=", "<="} else ZERO
    if isinstance(left, int) and isinstance(right, int):
        true = {"=": left == right, "!=": left != right, "<": left < right, "<=": left <= right}[relation]
        return ONE if true else ZERO
    return Mask(relation, left, right)


def split(term: Expression) -> tuple[Fraction, Expression]:
    """Return ``(c, rest)`` with ``term = c * rest`` and no number in front of ``rest``."""
    if isinstance(term, Number):
        return term.value, ONE
    if isinstance(term, Multiply) and isinstance(term.factors[0], Number):
        rest = term.factors[1:]
        return term.factors[0].value, rest[0] if len(rest) == 1 else Multiply(rest)
    return Fraction(1), term


def factors_of(term: Expression) -> tuple[Expression, ...]:
    """Return the factors of a product, or the one factor that ``term`` is."""
    return term.factors if isinstance(term, Multiply) else (term,)


def terms_of(expression: Expression) -> tuple[Expression, ...]:
    """Return the terms of a sum, or the one term that ``expression`` is; none for zero."""
    if isinstance(expression, Add):
        return expression.terms
    return () if expression == ZERO else (expression,)


def add(*terms: Expression) -> Expression:
    """Return the sum, like terms merged, in the order in which they first came."""
    gathered: dict[Expression, Fraction] = {}
    stack = list(reversed(terms))
    while stack:
        term = stack.pop()
        coefficient, rest = split(term)
        if isinstance(rest, Add):
            stack.extend(reversed([scaled(coefficient, inner) for inner in rest.terms]))
        elif coefficient:
            gathered[rest] = gathered.get(rest, Fraction(0)) + coefficient
    kept = [scaled(coefficient, rest) for rest, coefficient in gathered.items() if coefficient]
    if not kept:
        return ZERO
    return kept[0] if len(kept) == 1 else Add(tuple(kept))


def scaled(coefficient: Fraction, term: Expression) -> Expression:
    """Return ``coefficient * term``."""
    if coefficient == 1:
        return term
    own, rest = split(term)
    coefficient *= own
    if coefficient == 0:
        return ZERO
    if rest == ONE:
        return Number(coefficient)
    return rest if coefficient == 1 else Multiply((Number(coefficient), *factors_of(rest)))


def multiply(*factors: Expression) -> Expression:
    """Return the product, powers of one base collected, sums freed of their numeric content."""
    coefficient = Fraction(1)
    gathered: dict[Expression, list[Expression]] = {}
    stack = list(reversed(factors))
    while stack:
        factor = stack.pop()
        if isinstance(factor, Multiply):
            stack.extend(reversed(factor.factors))
        elif isinstance(factor, Number):
            coefficient *= factor.value
        else:
            base, exponent = (factor.base, factor.exponent) if isinstance(factor, Power) else (factor, ONE)
            gathered.setdefault(base, []).append(exponent)
    if coefficient == 0:
        return ZERO
    kept: list[Expression] = []
    for base, exponents in gathered.items():
        content, factor = _with_content(base, add(*exponents))
        coefficient *= content
        kept.extend(f for f in factors_of(factor) if f != ONE)
    kept = _with_deltas_applied(kept)
    numbers = [f.value for f in kept if isinstance(f, Number)]
    if numbers or len({(f.base if isinstance(f, Power) else f) for f in kept}) < len(kept):
        return multiply(Number(coefficient), *kept)
    if coefficient == 1 and kept:
        return kept[0] if len(kept) == 1 else Multiply(tuple(kept))
    return Multiply((Number(coefficient), *kept)) if kept else Number(coefficient)


def _with_content(base: Expression, exponent: Expression) -> tuple[Fraction, Expression]:
    if isinstance(base, Mask) and isinstance(exponent, Number) and exponent.value > 0:
        return Fraction(1), base
    if isinstance(base, Add) and isinstance(exponent, Number) and exponent.value.denominator == 1:
        content, primitive = primitive_part(base)
        return content ** int(exponent.value), power(primitive, exponent)
    return Fraction(1), power(base, exponent)


def _with_deltas_applied(factors: list[Expression]) -> list[Expression]:
    """Name indices that a delta makes equal alike, so that like terms are seen."""
    for place, factor in enumerate(factors):
        if isinstance(factor, Mask) and factor.relation == "=":
            sides = sorted((factor.left, factor.right), key=lambda p: (isinstance(p, Index), str(p)))
            if isinstance(sides[1], Index) and any(
                sides[1] in other.free for other in factors[:place] + factors[place + 1 :]
            ):
                moved = {sides[1]: sides[0]}
                others = [substitute(f, moved) for f in factors[:place] + factors[place + 1 :]]
                return [factor, *(g for f in others for g in factors_of(f))]
    return factors


def primitive_part(expression: Add) -> tuple[Fraction, Expression]:
    """Return ``(c, rest)`` with ``expression = c * rest``: coefficients of ``rest`` are coprime, most are positive."""
    coefficients = [split(term)[0] for term in expression.terms]
    content = Fraction(math.gcd(*(c.numerator for c in coefficients)), math.lcm(*(c.denominator for c in coefficients)))
    balance = sum(1 if c > 0 else -1 for c in coefficients)
    first = min(expression.terms, key=lambda term: split(term)[1].key)
    if balance < 0 or (balance == 0 and split(first)[0] < 0):
        content = -content
    return content, expression if content == 1 else Add(tuple(scaled(1 / content, t) for t in expression.terms))


def divide(above: Expression, below: Expression) -> Expression:
    """Return the quotient."""
    return multiply(above, power(below, MINUS_ONE))


def subtract(left: Expression, right: Expression) -> Expression:
    """Return the difference."""
    return add(left, multiply(MINUS_ONE, right))


def power(base: Expression, exponent: Expression) -> Expression:
    """Return ``base ^ exponent``; only what holds for every real base is simplified."""
    if exponent == ZERO or base == ONE:
        return ONE
    if exponent == ONE:
        return base
    if not isinstance(exponent, Number):
        return Power(base, exponent)
    whole = exponent.value.denominator == 1
    match base:
        case Number(value=value):
            return _power_of_number(value, exponent.value)
        case Power(base=inner, exponent=first) if whole or first == MINUS_ONE:
            return power(inner, multiply(first, exponent))
        case Multiply(factors=factors) if whole:
            return multiply(*(power(factor, exponent) for factor in factors))
        case Multiply(factors=(Number(value=value), *rest)) if value > 0 and value != 1:
            return multiply(power(Number(value), exponent), power(multiply(*rest), exponent))
        case Add() if whole:
            content, primitive = primitive_part(base)
            if content != 1:
                return multiply(Number(content ** int(exponent.value)), Power(primitive, exponent))
        case Mask() if exponent.value > 0:
            return base
    return Power(base, exponent)


def _power_of_number(value: Fraction, exponent: Fraction) -> Expression:
    if exponent.denominator == 1 and abs(exponent) <= LARGEST_POWER and (value or exponent > 0):
        return Number(value ** int(exponent))
    if exponent.denominator == 2 and value > 0 and abs(exponent) <= LARGEST_POWER:
        roots = Fraction(math.isqrt(value.numerator), math.isqrt(value.denominator))
        if roots * roots == value:
            return Number(roots ** int(exponent * 2))
    return Power(Number(value), Number(exponent))


_AT_ZERO = {"exp": 1, "log1p": 0, "tanh": 0, "sin": 0, "cos": 1, "erf": 0, "relu": 0, "abs": 0, "sign": 0}


def function(name: str, *arguments: Expression) -> Expression:
    """Return a function of numbers; ``sqrt`` is a power."""
    if name == "sqrt":
        return power(arguments[0], HALF)
    if arguments and arguments[0] == ZERO and name in _AT_ZERO:
        return number(_AT_ZERO[name])
    if name == "log" and arguments[0] == ONE:
        return ZERO
    return Function(name, arguments)


def sum_over(indices: Sequence[Index], body: Expression) -> Expression:
    """Return the sum of ``body`` over ``indices``, split into what is connected, deltas eliminated."""
    if not indices:
        return body
    if isinstance(body, Add):
        return add(*(sum_over(indices, term) for term in body.terms))
    indices, factors = _prenex(list(indices), list(factors_of(body)))
    for place, factor in enumerate(factors):
        moved = _eliminated(factor, indices)
        if moved:
            rest = multiply(*factors[:place], *factors[place + 1 :])
            return sum_over([i for i in indices if i not in moved], substitute(rest, moved))
    outside: list[Expression] = [extent(i.size) for i in indices if not any(i in f.free for f in factors)]
    for bound, connected in _components(indices, factors):
        product = multiply(*connected)
        if bound and isinstance(product, Add):
            # a sum with a number in front of it, as in sum(-(1 + x)), is split like one without
            outside.append(sum_over(bound, product))
        else:
            outside.append(closed(bound, product) if bound else product)
    return multiply(*outside)


def _prenex(indices: list[Index], factors: list[Expression]) -> tuple[list[Index], list[Expression]]:
    """Pull sums among ``factors`` that mention one of ``indices`` to the outside."""
    found: list[Expression] = []
    stack = list(reversed(factors))
    while stack:
        factor = stack.pop()
        if isinstance(factor, Sum) and not factor.free.isdisjoint(indices):
            inner, body = opened(factor)
            indices = [*indices, *inner]
            stack.extend(reversed(factors_of(body)))
        else:
            found.append(factor)
    product = multiply(*found)
    return indices, list(factors_of(product))


def _eliminated(factor: Expression, indices: Iterable[Index]) -> dict[Index, Position] | None:
    if isinstance(factor, Mask) and factor.relation == "=":
        for old, new in ((factor.left, factor.right), (factor.right, factor.left)):
            if isinstance(old, Index) and old in indices:
                return {old: new}
    return None


def _components(
    indices: Sequence[Index], factors: Sequence[Expression]
) -> Iterable[tuple[list[Index], list[Expression]]]:
    """Group ``factors`` that share summed indices, and yield the indices of each group with it."""
    groups: list[tuple[set[Index], list[Expression]]] = []
    for factor in factors:
        bound = factor.free.intersection(indices)
        touching = [group for group in groups if group[0] & bound]
        merged = (bound.union(*(g[0] for g in touching)), [f for g in touching for f in g[1]] + [factor])
        if not touching:
            groups.append((set(bound), [factor]))
            continue
        order = {id(f): place for place, f in enumerate(factors)}
        position = groups.index(touching[0])
        groups = [g for g in groups if g not in touching]
        groups.insert(position, (set(merged[0]), sorted(merged[1], key=lambda f: order[id(f)])))
    for bound_set, connected in groups:
        yield [i for i in indices if i in bound_set], connected
