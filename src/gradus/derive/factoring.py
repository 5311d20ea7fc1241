"""Taking common factors out of a sum, also where they stand under sums over indices with other names."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from gradus.derive import algebra
from gradus.derive.binding import opened, substitute
from gradus.derive.index_form import Add, Expression, Extent, Index, Mask, Number, Power, Sum

MOST_TERMS = 12


@dataclass(frozen=True, slots=True)
class _Term:
    """A number times ``factors``, summed over ``bound``."""

    coefficient: Expression
    bound: tuple[Index, ...]
    factors: tuple[Expression, ...]

    @property
    def expression(self) -> Expression:
        return algebra.sum_over(self.bound, algebra.multiply(self.coefficient, *self.factors))


def factored(expression: Expression) -> Expression:
    """Return the sum with the heaviest common factors taken out, pair by pair."""
    if not isinstance(expression, Add) or len(expression.terms) > MOST_TERMS:
        return expression
    terms = dict(enumerate(_term(term) for term in expression.terms))
    pairs = {pair: _merged(terms[pair[0]], terms[pair[1]]) for pair in itertools.combinations(terms, 2)}
    while True:
        found = {pair: merged for pair, merged in pairs.items() if merged is not None}
        if not found:
            return algebra.add(*(term.expression for term in terms.values()))
        kept, dropped = max(found, key=lambda pair: found[pair][0])
        terms[kept] = found[kept, dropped][1]
        del terms[dropped]
        pairs = {pair: merged for pair, merged in pairs.items() if not {kept, dropped} & set(pair)}
        for other in terms:
            if other != kept:
                pair = (min(kept, other), max(kept, other))
                pairs[pair] = _merged(terms[pair[0]], terms[pair[1]])


def _term(expression: Expression) -> _Term:
    coefficient, rest = algebra.split(expression)
    bound: tuple[Index, ...] = ()
    factors = algebra.factors_of(rest)
    sums = [f for f in factors if isinstance(f, Sum)]
    if len(sums) == 1:
        bound, body = opened(sums[0])
        factors = tuple(f for f in factors if f is not sums[0]) + algebra.factors_of(body)
        product = algebra.multiply(*factors)
        inner, product = algebra.split(product)
        coefficient *= inner
        factors = algebra.factors_of(product)
    return _Term(Number(coefficient), bound, factors)


def _merged(first: _Term, second: _Term) -> tuple[float, _Term] | None:
    """Return the weight of what both have in common, and both with it taken out; None where that is nothing."""
    pairs = [(first, renamed) for renamed in _renamings(first, second)]
    pairs.append((_outside(first), _outside(second)))
    found = [merged for pair in pairs if (merged := _with_common_factors(*pair))]
    return max(found, key=lambda pair: pair[0], default=None)


def _with_common_factors(first: _Term, second: _Term) -> tuple[float, _Term] | None:
    common = _common(first.factors, second.factors)
    weight = sum(_weight(factor) for factor in common)
    if weight <= 0:
        return None
    rests = ((term.coefficient, *_without(term.factors, common)) for term in (first, second))
    total = algebra.add(*(algebra.multiply(*rest) for rest in rests))
    if total == algebra.ZERO or (first.bound and isinstance(total, Add) and uneven(total.terms)):
        return None
    coefficient, product = algebra.split(algebra.multiply(*common, total))
    return weight, _Term(Number(coefficient), first.bound, algebra.factors_of(product))


def uneven(terms: tuple[Expression, ...]) -> bool:
    """Tell whether a term runs over more indices than another: x[i] + x[i]*x[j]."""
    return any(first.free < second.free for first in terms for second in terms)


def _outside(term: _Term) -> _Term:
    """Return ``term`` with what stands under its sum as one factor."""
    if not term.bound:
        return term
    coefficient, rest = algebra.split(term.expression)
    return _Term(Number(coefficient), (), algebra.factors_of(rest))


def _renamings(first: _Term, second: _Term) -> list[_Term]:
    """Return ``second`` with its summed indices called as those of ``first``, in every way that fits."""
    if [i.size for i in first.bound] != [i.size for i in second.bound]:
        return []
    if len(first.bound) > 3:
        return []
    found = []
    for order in itertools.permutations(first.bound):
        if all(a.size == b.size for a, b in zip(order, second.bound, strict=True)):
            mapping = dict(zip(second.bound, order, strict=True))
            product = substitute(algebra.multiply(*second.factors), mapping)
            found.append(_Term(second.coefficient, first.bound, algebra.factors_of(product)))
    return found


def _common(left: tuple[Expression, ...], right: tuple[Expression, ...]) -> list[Expression]:
    bases = {_split(factor)[0]: _split(factor)[1] for factor in right}
    found = []
    for factor in left:
        base, exponent = _split(factor)
        other = bases.get(base)
        if other is None:
            continue
        if exponent == other:
            found.append(factor)
        elif isinstance(exponent, Number) and isinstance(other, Number):
            shared = min(exponent.value, other.value, key=abs)
            if exponent.value * other.value > 0:
                found.append(algebra.power(base, Number(shared)))
    return found


def _split(factor: Expression) -> tuple[Expression, Expression]:
    return (factor.base, factor.exponent) if isinstance(factor, Power) else (factor, algebra.ONE)


def _without(factors: tuple[Expression, ...], common: list[Expression]) -> tuple[Expression, ...]:
    inverse = [algebra.power(factor, algebra.MINUS_ONE) for factor in common if not isinstance(factor, Mask)]
    masks = {factor for factor in common if isinstance(factor, Mask)}
    kept = (factor for factor in factors if factor not in masks)
    return algebra.factors_of(algebra.multiply(*kept, *inverse))


def _weight(factor: Expression) -> float:
    from gradus.derive.rewriting import cost

    return 0.0 if isinstance(factor, Number) else 0.6 if isinstance(factor, Extent) else cost(factor)
