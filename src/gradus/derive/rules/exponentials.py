"""Exponentials, and the sums and quotients of them that have a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.derive import algebra
from gradus.derive.binding import applied, array_of, opened
from gradus.derive.index_form import Add, Apply, Expression, Function, Index, Lambda, Multiply, Power, Sum

if TYPE_CHECKING:
    from gradus.derive.facts import Facts


def of_exponential(node: Expression, facts: Facts) -> Expression | None:
    """exp(log x) = x where x is positive."""
    match node:
        case Function(name="exp", arguments=(Function(name="log", arguments=(inner,)),)) if facts.positive(inner):
            return inner
        case Power(base=Function(name="exp", arguments=(inner,)), exponent=exponent):
            return algebra.function("exp", algebra.multiply(exponent, inner))
    return None


def of_sigmoid(node: Expression, facts: Facts) -> Expression | None:
    """Turn an argument with a minus in front around."""
    match node:
        case Function(name="sigmoid", arguments=(inner,)) if _negative(inner):
            turned = algebra.multiply(algebra.MINUS_ONE, inner)
            return algebra.subtract(algebra.ONE, algebra.function("sigmoid", turned))
        case Function(name="softplus", arguments=(inner,)) if _negative(inner):
            turned = algebra.multiply(algebra.MINUS_ONE, inner)
            return algebra.subtract(algebra.function("softplus", turned), turned)
        case Power(base=Add() as base, exponent=exponent) if exponent == algebra.MINUS_ONE:
            coefficient, rest = algebra.split(algebra.subtract(base, algebra.ONE))
            if coefficient == 1 and isinstance(rest, Function) and rest.name == "exp":
                return algebra.function("sigmoid", algebra.multiply(algebra.MINUS_ONE, rest.arguments[0]))
    return None


def _negative(expression: Expression) -> bool:
    if isinstance(expression, Add):
        return all(algebra.split(term)[0] < 0 for term in expression.terms)
    return algebra.split(expression)[0] < 0


def _exponential_array(total: Expression, facts: Facts) -> Lambda | None:
    """Return z where ``total`` is the sum of exp z over one index."""
    if not isinstance(total, Sum) or len(total.indices) != 1:
        return None
    indices, body = opened(total)
    body = facts.body_of(body) or body
    if isinstance(body, Function) and body.name == "exp" and indices[0] in body.free:
        return array_of(indices, body.arguments[0])
    return None


def as_logsumexp(node: Expression, facts: Facts) -> Expression | None:
    """Log of a sum of exponentials is logsumexp."""
    if isinstance(node, Function) and node.name == "log":
        total = facts.body_of(node.arguments[0]) or node.arguments[0]
        array = _exponential_array(total, facts)
        return None if array is None else Apply("logsumexp", (array,), ())
    return None


def as_softmax(node: Expression, facts: Facts) -> Expression | None:
    """An exponential over the sum of them is softmax."""
    if not isinstance(node, Multiply):
        return None
    for total in node.factors:
        if not isinstance(total, Power) or total.exponent != algebra.MINUS_ONE:
            continue
        array = _exponential_array(facts.body_of(total.base) or total.base, facts)
        if array is None:
            continue
        for factor in node.factors:
            above = facts.body_of(factor) or factor
            if isinstance(above, Function) and above.name == "exp":
                at = _entry_of(above.arguments[0], array)
                if at is not None:
                    rest = (f for f in node.factors if f is not total and f is not factor)
                    return algebra.multiply(*rest, Apply("softmax", (array,), (at,)))
    return None


def _entry_of(expression: Expression, array: Lambda) -> Index | None:
    """Return the index at which ``array`` is ``expression``."""
    for index in sorted(expression.free):
        if index.size == array.indices[0].size and applied(array, (index,)) == expression:
            return index
    return None
