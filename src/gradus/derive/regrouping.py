"""A sum of a matrix and a vector, times a matrix, is taken apart: A * (B - r) is A * B - diag(r) @ A."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.derive import algebra
from gradus.derive.index_form import Add, Entry, Expression, Extent, Power, Sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradus.derive.index_form import Index


def regrouped(factors: Sequence[Expression], axes: tuple[Index, ...]) -> list[Expression]:
    """Return ``factors`` with every sum of terms over different axes multiplied by what stands over all of them."""
    result = list(factors)
    for factor in factors:
        own = factor.free.intersection(axes)
        if not isinstance(factor, Add) or len(own) != 2 or not _mixed(factor, own):
            continue
        companions = [f for f in result if f is not factor and f.free.intersection(axes) == own]
        if companions:
            place = min(result.index(f) for f in (factor, *companions))
            terms = tuple(algebra.multiply(*companions, term) for term in factor.terms)
            result = [f for f in result if f is not factor and f not in companions]
            result.insert(place, Add(terms))
    return result


def _mixed(total: Add, own: frozenset[Index]) -> bool:
    """Tell whether a term runs over one of the two axes only, and is no name that is added to every row as it is."""
    lower = [term for term in total.terms if len(term.free.intersection(own)) == 1]
    return any(not isinstance(algebra.split(term)[1], Entry) for term in lower)


def with_sizes_inside(factors: Sequence[Expression]) -> list[Expression]:
    """Divide the terms of a sum by a size where each of them sums over it, so that they are read as means."""
    result = list(factors)
    for size in factors:
        if not (isinstance(size, Power) and isinstance(size.base, Extent) and size.exponent == algebra.MINUS_ONE):
            continue
        for factor in result:
            if isinstance(factor, Add) and all(_sums_over(term, size.base.size) for term in factor.terms):
                divided = Add(tuple(algebra.multiply(term, size) for term in factor.terms))
                result = [divided if f is factor else f for f in result if f is not size]
                break
    return result


def _sums_over(term: Expression, size: str) -> bool:
    factors = algebra.factors_of(term)
    return any(isinstance(f, Sum) and [index.size for index in f.indices] == [size] for f in factors)
