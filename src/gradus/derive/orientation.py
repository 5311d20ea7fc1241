"""Which way round a difference is written: y_i - y_j before y_j - y_i, and no minus that a difference can take."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from gradus.derive import algebra
from gradus.derive.index_form import Add, Entry, Expression, Index, Number, Power
from gradus.derive.tree import Binary, Name, Subscript, children

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradus.derive.tree import Tree

Habits = frozenset[tuple[str, str]]


def oriented(
    coefficient: Fraction, factors: list[Expression], habits: Habits = frozenset()
) -> tuple[Fraction, list[Expression]]:
    """Return the same product with its differences turned round where that reads better.

    ``habits`` are the differences that the person wrote, as pairs of names.
    """
    result = list(factors)
    for place, factor in enumerate(result):
        if isinstance(factor, Add) and (_reads_backwards(factor) or against(habits, factor)):
            result[place] = _turned(factor)
            coefficient = -coefficient
        elif isinstance(factor, Power) and _even(factor.exponent):
            result[place] = Power(oriented_square(factor.base, habits), factor.exponent)
    if coefficient < 0:
        for place, factor in enumerate(result):
            if isinstance(factor, Add) and _can_be_turned(factor, habits):
                result[place] = _turned(factor)
                return -coefficient, result
    return coefficient, result


def against(habits: Habits, difference: Add) -> bool:
    """Tell whether the person wrote the difference the other way round."""
    if len(difference.terms) != 2:
        return False
    (first, left), (second, right) = (algebra.split(term) for term in difference.terms)
    if first * second >= 0 or not isinstance(left, Entry) or not isinstance(right, Entry):
        return False
    plus, minus = (left, right) if first > 0 else (right, left)
    return (minus.array, plus.array) in habits and (plus.array, minus.array) not in habits


def written_differences(trees: Iterable[Tree]) -> Habits:
    """Return the pairs of names that stand in a difference in ``trees``, in this order."""
    found: set[tuple[str, str]] = set()
    stack = list(trees)
    while stack:
        tree = stack.pop()
        stack.extend(children(tree))
        if isinstance(tree, Binary) and tree.operator == "-":
            names = [side.base if isinstance(side, Subscript) else side for side in (tree.left, tree.right)]
            if all(isinstance(name, Name) for name in names):
                found.add((names[0].name, names[1].name))  # type: ignore[union-attr]
    return frozenset(found)


def oriented_square(base: Expression, habits: Habits) -> Expression:
    """Return the base of an even power the way round that reads better."""
    backwards = isinstance(base, Add) and (_reads_backwards(base) or against(habits, base))
    return _turned(base) if isinstance(base, Add) and backwards else base


def can_turn(body: Expression, habits: Habits) -> bool:
    """Tell whether ``body`` has a difference that can take a minus."""
    return oriented(Fraction(-1), list(algebra.factors_of(body)), habits)[0] > 0


def _can_be_turned(difference: Add, habits: Habits) -> bool:
    turned = _turned(difference)
    return _balanced(difference) and not _reads_backwards(turned) and not against(habits, turned)


def _turned(difference: Add) -> Add:
    return Add(tuple(algebra.scaled(algebra.MINUS_ONE.value, term) for term in difference.terms))


def _even(exponent: Expression) -> bool:
    return isinstance(exponent, Number) and exponent.value.denominator == 1 and exponent.value % 2 == 0


def _balanced(difference: Add) -> bool:
    return sum(1 if algebra.split(term)[0] > 0 else -1 for term in difference.terms) == 0


def _reads_backwards(difference: Add) -> bool:
    """Tell whether the same array stands with an outer index behind a minus and with an inner one before it."""
    if len(difference.terms) != 2:
        return False
    (first, left), (second, right) = (algebra.split(term) for term in difference.terms)
    if algebra.ONE in (left, right):
        behind, before = (first, right) if left == algebra.ONE else (second, left)
        return behind < 0 and not isinstance(before, Entry)
    if first * second >= 0 or not isinstance(left, Entry) or not isinstance(right, Entry) or left.array != right.array:
        return False
    plus, minus = (left, right) if first > 0 else (right, left)
    for outer, inner in zip(plus.at, minus.at, strict=True):
        if outer != inner and isinstance(outer, Index) and isinstance(inner, Index):
            return inner.name < outer.name
    return False
