"""Inverses that meet what they are the inverse of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.derive import algebra
from gradus.derive.binding import applied, opened
from gradus.derive.index_form import Apply, Entry, Expression, Index, Sum

if TYPE_CHECKING:
    from gradus.derive.facts import Facts


def inverse_of_orthogonal(node: Expression, facts: Facts) -> Expression | None:
    """inv(Q) = Q.T."""
    match node:
        case Apply(name="inv", arguments=(matrix,), at=(first, second)):
            body = matrix.body
            if isinstance(body, Entry) and facts.declared(body.array, "orthogonal") and body.at == matrix.indices:
                facts.use(f"{body.array}.T @ {body.array} = I")
                return Entry(body.array, (second, first))
    return None


def inverse_cancels(node: Expression, facts: Facts) -> Expression | None:
    """inv(A) @ A = A @ inv(A) = I, for a matrix with a name."""
    if not isinstance(node, Sum):
        return None
    indices, body = opened(node)
    factors = algebra.factors_of(body)
    for inverse in factors:
        if not isinstance(inverse, Apply) or inverse.name != "inv":
            continue
        for other in factors:
            cancelled = _cancelled(inverse, other, facts)
            if cancelled is None:
                continue
            shared, delta = cancelled
            rest = [f for f in factors if f is not inverse and f is not other]
            if shared in indices and all(shared not in f.free for f in rest):
                return algebra.sum_over([i for i in indices if i != shared], algebra.multiply(delta, *rest))
    return None


def _cancelled(inverse: Apply, other: Expression, facts: Facts) -> tuple[Index, Expression] | None:
    matrix = inverse.arguments[0]
    if not isinstance(other, Entry) or len(set(other.at)) != 2 or len(set(inverse.at)) != 2:
        return None
    orders = [inverse.at, inverse.at[::-1]] if facts.symmetric_matrix(matrix) else [inverse.at]
    for at in orders:
        if at[1] == other.at[0] and applied(matrix, other.at) == other and isinstance(at[1], Index):
            return at[1], algebra.mask("=", at[0], other.at[1])
        if at[0] == other.at[1] and applied(matrix, other.at) == other and isinstance(at[0], Index):
            return at[0], algebra.mask("=", at[1], other.at[0])
    return None
