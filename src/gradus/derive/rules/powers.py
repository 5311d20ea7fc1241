"""Powers that may only be taken apart where the base is positive, and what abs and sign do to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.derive import algebra
from gradus.derive.expanding import expanded
from gradus.derive.index_form import Expression, Function, Multiply, Number, Power

if TYPE_CHECKING:
    from gradus.derive.facts import Facts


def of_power(node: Expression, facts: Facts) -> Expression | None:
    """(x^a)^b = x^(a b) and (x y)^a = x^a y^a for positive numbers; sqrt(x^2) = abs(x)."""
    if isinstance(node, Function) and node.name == "abs" and facts.positive(node.arguments[0]):
        return node.arguments[0]
    if not isinstance(node, Power):
        return None
    base, exponent = node.base, node.exponent
    simpler = expanded(exponent)
    if simpler != exponent:
        return algebra.power(base, simpler)
    if isinstance(base, Function) and base.name == "abs" and _even(exponent):
        return algebra.power(base.arguments[0], exponent)
    if isinstance(base, Power) and not _whole(exponent):
        if facts.positive(base.base):
            return algebra.power(base.base, expanded(algebra.multiply(base.exponent, exponent)))
        if _even(base.exponent):
            return algebra.power(algebra.function("abs", base.base), algebra.multiply(base.exponent, exponent))
    if isinstance(base, Multiply) and isinstance(exponent, Number) and not _whole(exponent):
        positive = [factor for factor in base.factors if facts.positive(factor)]
        others = [factor for factor in base.factors if not facts.positive(factor)]
        if positive and not isinstance(base.factors[0], Number):
            rest = algebra.multiply(*others)
            return algebra.multiply(*(algebra.power(f, exponent) for f in positive), algebra.power(rest, exponent))
    return None


def _whole(exponent: Expression) -> bool:
    return isinstance(exponent, Number) and exponent.value.denominator == 1


def _even(exponent: Expression) -> bool:
    return isinstance(exponent, Number) and exponent.value.denominator == 1 and exponent.value % 2 == 0


def signs(node: Expression, facts: Facts) -> Expression | None:
    """X sign(x) = abs(x), abs(x) sign(x) = x, sign(x) = 1 where x is positive."""
    if isinstance(node, Function) and node.name == "sign" and facts.positive(node.arguments[0]):
        return algebra.ONE
    if not isinstance(node, Multiply):
        return None
    for sign in node.factors:
        if isinstance(sign, Function) and sign.name == "sign":
            inner = sign.arguments[0]
            for turned, into in ((inner, "abs"), (Function("abs", (inner,)), "")):
                if turned in node.factors:
                    rest = (f for f in node.factors if f not in (sign, turned))
                    return algebra.multiply(*rest, algebra.function(into, inner) if into else inner)
    return None
