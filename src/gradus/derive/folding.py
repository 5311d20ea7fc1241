"""Put names in place of what they stand for (folding), and what they stand for in place of names (unfolding)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.derive import algebra
from gradus.derive.binding import rebuilt
from gradus.derive.index_form import Add, Entry, Expression, Multiply, Number, Power, Sum, arrays, contains
from gradus.derive.program import Definition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MOST_PLACES = 24


def unfolded(expression: Expression, definitions: dict[str, Definition]) -> Expression:
    """Return ``expression`` with the names in ``definitions`` replaced by their bodies, again and again."""
    if arrays(expression).isdisjoint(definitions):
        return expression
    if isinstance(expression, Entry):
        return unfolded(definitions[expression.array].entry(expression.at), definitions)
    return rebuilt(expression, lambda part: unfolded(part, definitions))


@dataclass(frozen=True, slots=True)
class Folding:
    """What folding has to know: which bases have real powers, and how a body looks when it is simplified."""

    positive: Callable[[Expression], bool]
    normal: Callable[[Expression], Expression]


def folded(expression: Expression, definitions: Sequence[Definition], knowledge: Folding) -> Expression:
    """Return ``expression`` with the names of ``definitions`` put where their bodies stand."""
    for definition in definitions:
        if not isinstance(definition.body, (Entry, Number)):
            expression = _folded(expression, definition, knowledge)
    return expression


def folded_to_scale(expression: Expression, definitions: Sequence[Definition], knowledge: Folding) -> Expression:
    """With h = (x - m)/s, put s h where x - m stands."""
    for definition in definitions:
        factors = algebra.factors_of(definition.body)
        sums = [f for f in factors if isinstance(f, Add) and f.free == set(definition.axes)]
        if len(sums) == 1 and len(factors) > 1 and definition.axes:
            expression = _scaled(expression, definition, sums[0], knowledge)
    return expression


def _scaled(expression: Expression, definition: Definition, body: Expression, knowledge: Folding) -> Expression:
    inner = rebuilt(expression, lambda part: _scaled(part, definition, body, knowledge))
    if isinstance(inner, Add):
        shape = Definition(definition.name, definition.axes, body)
        for name, instance in _instances(inner, shape, knowledge):
            replaced = _replaced(inner, name, instance, knowledge)
            if replaced is not None:
                return algebra.multiply(replaced, algebra.divide(instance, definition.entry(name.at)))
    return inner


def _folded(expression: Expression, definition: Definition, knowledge: Folding) -> Expression:
    if not arrays(definition.body) <= arrays(expression):
        return expression
    inner = rebuilt(expression, lambda part: _folded(part, definition, knowledge))
    if isinstance(inner, (Multiply, Power, Add, Sum)) or type(inner) is type(definition.body):
        for name, body in _instances(inner, definition, knowledge):
            replaced = _replaced(inner, name, body, knowledge)
            if replaced is not None:
                return replaced
    return inner


def _instances(
    expression: Expression, definition: Definition, knowledge: Folding
) -> Iterator[tuple[Entry, Expression]]:
    """Yield the entries of ``definition`` at indices of ``expression``, with their bodies."""
    free = sorted(expression.free)
    places = itertools.product(*([i for i in free if i.size == axis.size] for axis in definition.axes))
    for at in itertools.islice(places, MOST_PLACES):
        yield Entry(definition.name, at), knowledge.normal(definition.entry(at))


def _replaced(node: Expression, name: Entry, body: Expression, knowledge: Folding) -> Expression | None:
    if node == body:
        return name
    content, rest = algebra.primitive_part(body) if isinstance(body, Add) else algebra.split(body)
    own, inner = algebra.primitive_part(node) if isinstance(node, Add) else algebra.split(node)
    if inner == rest and not isinstance(rest, (Number, Entry)):
        return algebra.multiply(Number(own / content), name)
    if isinstance(node, Power):
        return _root(node, name, body, knowledge)
    if isinstance(node, Multiply):
        return _factor(node, name, body)
    return None


def _root(node: Power, name: Entry, body: Expression, knowledge: Folding) -> Expression | None:
    """With y = b^e, b^f is y^(f/e), for a positive b or a whole f/e; where that is no polynomial, y b^(f - e)."""
    if not isinstance(body, Power) or body.base != node.base:
        return None
    from gradus.derive.expanding import expanded

    ratio = expanded(algebra.divide(node.exponent, body.exponent))
    whole = isinstance(ratio, Number) and ratio.value.denominator == 1
    if not whole and not knowledge.positive(node.base):
        return None
    if whole or not contains(ratio, _divides):
        return algebra.power(name, ratio)
    rest = algebra.subtract(node.exponent, body.exponent)
    return algebra.multiply(name, algebra.power(node.base, rest)) if isinstance(rest, Number) else None


def _divides(node: Expression) -> bool:
    return isinstance(node, Power) and isinstance(node.exponent, Number) and node.exponent.value < 0


def _factor(node: Multiply, name: Entry, body: Expression) -> Expression | None:
    """Where every factor of ``body`` is a factor of ``node``, divide by them."""
    content, rest = algebra.split(body)
    needed = algebra.factors_of(rest)
    if len(needed) < 2:
        return None
    own = {_base(f)[0]: _base(f)[1] for f in node.factors}
    for factor in needed:
        base, exponent = _base(factor)
        found = own.get(base)
        if found is None or not _at_least(found, exponent):
            return None
    return algebra.multiply(name, algebra.divide(node, rest), Number(1 / content))


def _base(factor: Expression) -> tuple[Expression, Expression]:
    return (factor.base, factor.exponent) if isinstance(factor, Power) else (factor, algebra.ONE)


def _at_least(found: Expression, needed: Expression) -> bool:
    if found == needed:
        return True
    if isinstance(found, Number) and isinstance(needed, Number):
        return found.value * needed.value > 0 and abs(found.value) >= abs(needed.value)
    return False
