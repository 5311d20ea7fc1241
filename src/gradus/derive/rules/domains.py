"""Rewrites that rest on what was declared: sums to 1, equal to its transpose, zero diagonal, orthogonal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.derive import algebra
from gradus.derive.binding import opened, substitute
from gradus.derive.index_form import Add, Apply, Entry, Expression, Index, Mask, Multiply, Sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradus.derive.facts import Facts


def symmetric(node: Expression, facts: Facts) -> Expression | None:
    """Order the indices of a matrix that equals its transpose."""
    match node:
        case Entry(array=array, at=(first, second)) if _swapped(first, second) and facts.symmetric_array(array):
            if array in facts.program.variables:
                facts.use(f"{array} = {array}.T")
            return Entry(array, (second, first))
        case Apply(name="inv", arguments=(matrix,), at=(first, second)) if _swapped(first, second):
            if facts.symmetric_matrix(matrix):
                if isinstance(matrix.body, Entry) and matrix.body.array in facts.program.variables:
                    facts.use(f"{matrix.body.array} = {matrix.body.array}.T")
                return Apply("inv", (matrix,), (second, first))
    return None


def _swapped(first: object, second: object) -> bool:
    return isinstance(first, Index) and isinstance(second, Index) and second.name < first.name


def hollow(node: Expression, facts: Facts) -> Expression | None:
    """Drop the diagonal of what has none."""
    match node:
        case Entry(array=array, at=(first, second)) if first == second and facts.declared(array, "hollow"):
            facts.use(f"{array} has a zero diagonal")
            return algebra.ZERO
        case Multiply(factors=factors):
            for entry in factors:
                if isinstance(entry, Entry) and facts.declared(entry.array, "hollow"):
                    for other in factors:
                        if (
                            isinstance(other, Mask)
                            and other.relation == "!="
                            and {other.left, other.right} == {*entry.at}
                        ):
                            facts.use(f"{entry.array} has a zero diagonal")
                            return algebra.multiply(*(f for f in factors if f is not other))
    return None


def _sums_to_one_over(factor: Expression, indices: Sequence[Index], facts: Facts) -> tuple[set[Index], str] | None:
    """Return over which of ``indices`` the factor sums to 1, and the declaration that says so (none for softmax)."""
    body = facts.body_of(factor) or factor
    match body:
        case Apply(name="softmax" | "argmax", arguments=(array,), at=(last,)):
            if isinstance(last, Index) and last in indices and last not in array.free:
                return {last}, ""
        case Entry(array=array, at=at) if array in facts.program.variables:
            places = [p for p in at if isinstance(p, Index) and p in indices]
            if facts.declared(array, "joint") and len(set(places)) == len(at):
                return set(places), f"sum({array}) = 1"
            final = at[-1] if at else None
            alone = isinstance(final, Index) and final in indices and at.count(final) == 1
            if isinstance(final, Index) and alone and facts.declared(array, "simplex"):
                return {final}, f"sum({array}) = 1" if len(at) == 1 else f"every row of {array} sums to 1"
    return None


def sum_to_one(node: Expression, facts: Facts) -> Expression | None:
    """Sum out weights that nothing else depends on."""
    if not isinstance(node, Sum):
        return None
    indices, body = opened(node)
    factors = algebra.factors_of(body)
    for place, factor in enumerate(factors):
        found = _sums_to_one_over(factor, indices, facts)
        others = factors[:place] + factors[place + 1 :]
        if found and all(found[0].isdisjoint(other.free) for other in others):
            if found[1]:
                facts.use(found[1])
            return algebra.sum_over([i for i in indices if i not in found[0]], algebra.multiply(*others))
    return None


def weighted_mean(node: Expression, facts: Facts) -> Expression | None:
    """Take terms that do not depend on the index out of a mean with weights that sum to 1."""
    if not isinstance(node, Sum):
        return None
    indices, body = opened(node)
    factors = algebra.factors_of(body)
    for place, factor in enumerate(factors):
        found = _sums_to_one_over(factor, indices, facts)
        for other in factors if found else ():
            if found is None or not isinstance(other, Add):
                continue
            rest = [f for f in factors if f is not other and f is not factors[place]]
            constant = [t for t in other.terms if found[0].isdisjoint(t.free)]
            apart = [f for f in rest if not (isinstance(f, Mask) and _is_hollow(factor, facts))]
            if constant and all(found[0].isdisjoint(f.free) for f in apart):
                varying = [t for t in other.terms if t not in constant]
                parts = (algebra.multiply(factor, algebra.add(*terms), *rest) for terms in (varying, constant))
                return algebra.add(*(algebra.sum_over(indices, part) for part in parts))
    return None


def _is_hollow(factor: Expression, facts: Facts) -> bool:
    return isinstance(factor, Entry) and facts.declared(factor.array, "hollow")


def orthogonal(node: Expression, facts: Facts) -> Expression | None:
    """Q.T @ Q = Q @ Q.T = I."""
    if not isinstance(node, Sum):
        return None
    indices, body = opened(node)
    factors = algebra.factors_of(body)
    entries = [f for f in factors if isinstance(f, Entry) and facts.declared(f.array, "orthogonal")]
    for place, first in enumerate(entries):
        for second in entries[place + 1 :]:
            for axis in (0, 1):
                shared = first.at[axis]
                if first.array != second.array or shared != second.at[axis] or shared not in indices:
                    continue
                others = [f for f in factors if f is not first and f is not second]
                if any(isinstance(shared, Index) and shared in f.free for f in others):
                    continue
                facts.use(f"{first.array}.T @ {first.array} = I")
                delta = algebra.mask("=", first.at[1 - axis], second.at[1 - axis])
                return algebra.sum_over([i for i in indices if i != shared], algebra.multiply(delta, *others))
    return None


def vanishing_mask(node: Expression, facts: Facts) -> Expression | None:
    """Drop the condition i != j from what is zero at i = j anyway."""
    if not isinstance(node, Multiply):
        return None
    for place, factor in enumerate(node.factors):
        rest = algebra.multiply(*node.factors[:place], *node.factors[place + 1 :])
        if isinstance(factor, Add):
            terms = [_without_mask(term, rest, facts) for term in factor.terms]
            if any(terms):
                kept = (new or old for new, old in zip(terms, factor.terms, strict=True))
                return algebra.multiply(rest, algebra.add(*kept))
        elif _vanishes(factor, rest, facts):
            return rest
    return None


def _vanishes(mask: Expression, rest: Expression, facts: Facts) -> bool:
    if not isinstance(mask, Mask) or mask.relation != "!=" or not isinstance(mask.right, Index):
        return False
    return facts.normal(substitute(rest, {mask.right: mask.left})) == algebra.ZERO


def _without_mask(term: Expression, others: Expression, facts: Facts) -> Expression | None:
    """Return ``term`` without its condition where the other factors vanish."""
    factors = algebra.factors_of(term)
    for mask in factors:
        if isinstance(mask, Mask) and _vanishes(mask, others, facts):
            return algebra.multiply(*(f for f in factors if f is not mask))
    return None
