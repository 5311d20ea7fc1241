"""Multiplying out: the products of sums become sums of products."""

from __future__ import annotations

import itertools

from gradus.derive import algebra
from gradus.derive.binding import opened
from gradus.derive.index_form import Add, Expression, Multiply, Number, Power, Sum

MOST_TERMS = 64
LARGEST_EXPONENT = 3


def expanded(expression: Expression) -> Expression:
    """Return ``expression`` multiplied out; not inside functions, nor where it gives too many terms."""
    match expression:
        case Add(terms=terms):
            return algebra.add(*map(expanded, terms))
        case Sum():
            indices, body = opened(expression)
            return algebra.sum_over(indices, expanded(body))
        case Power(base=Add() as base, exponent=Number(value=value)) if value in range(2, LARGEST_EXPONENT + 1):
            return _product([expanded(base)] * int(value), expression)
        case Multiply(factors=factors):
            return _product([expanded(factor) for factor in factors], expression)
    return expression


def _product(factors: list[Expression], unchanged: Expression) -> Expression:
    choices = [algebra.terms_of(factor) if isinstance(factor, Add) else (factor,) for factor in factors]
    count = 1
    for choice in choices:
        count *= len(choice)
    if count > MOST_TERMS:
        return unchanged
    return algebra.add(*(algebra.multiply(*chosen) for chosen in itertools.product(*choices)))
