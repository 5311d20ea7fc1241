"""Trees of products, sums and transposes, in the shape a person would write them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from gradus.derive.tree import Binary, Call, Negate, Number, Reduce, Transpose, children

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from gradus.derive.index_form import Index
    from gradus.derive.tree import Tree

ONE = Number(Fraction(1))


@dataclass(frozen=True, slots=True)
class Part:
    """Factors that run over the same ``axes`` (none, one or two), multiplied entry by entry."""

    axes: tuple[Index, ...]
    above: tuple[Tree, ...]
    below: tuple[Tree, ...] = ()

    @property
    def tree(self) -> Tree:
        """The product as one tree."""
        return quotient(self.above, self.below)


def product(factors: Sequence[Tree]) -> Tree:
    """Return the product entry by entry, numbers and names of scalars as they come."""
    kept = [factor for factor in factors if factor != ONE] or [ONE]
    kept.sort(key=lambda tree: 0 if isinstance(tree, Number) else 2 if _is_compound(tree) else 1)
    tree = kept[0]
    for factor in kept[1:]:
        tree = Binary("*", tree, factor)
    return tree


def quotient(above: Sequence[Tree], below: Sequence[Tree]) -> Tree:
    """Return ``above / below``."""
    return Binary("/", product(above), product(below)) if below else product(above)


def plus(terms: Sequence[Tree]) -> Tree:
    """Return the sum, terms with a minus last."""
    terms = [flat for term in terms for flat in _flattened(term)]
    ordered = [t for t in terms if not isinstance(t, Negate)] + [t for t in terms if isinstance(t, Negate)]
    tree = ordered[0]
    for term in ordered[1:]:
        tree = Binary("-", tree, term.operand) if isinstance(term, Negate) else Binary("+", tree, term)
    return tree


def _flattened(term: Tree) -> list[Tree]:
    """Return the terms of a sum in brackets with a minus before them."""
    match term:
        case Negate(Binary("+", left, right)):
            return [*_flattened(Negate(left)), Negate(right)]
        case Negate(Binary("-", left, right)):
            return [*_flattened(Negate(left)), right]
    return [term]


def chain(left: Tree, right: Tree) -> Tree:
    """Return ``left @ right``, products of products in one row."""
    if isinstance(right, Binary) and right.operator == "@":
        return Binary("@", chain(left, right.left), right.right)
    return Binary("@", left, right)


def transposed(tree: Tree, symmetric: Collection[Tree]) -> Tree:
    """Return the transpose, written inside products and left out where it changes nothing."""
    if tree in symmetric:
        return tree
    match tree:
        case Transpose(operand=operand):
            return operand
        case Binary("@", left, right):
            return chain(transposed(right, symmetric), transposed(left, symmetric))
        case Call("diag" | "eye", _):
            return tree
        case Call("outer", (first, second)):
            return Call("outer", (second, first))
        case Binary("*" | "/" as operator, left, right):
            sides = [transposed(side, symmetric) for side in (left, right)]
            if not any(isinstance(side, Transpose) for side in sides):
                return Binary(operator, sides[0], sides[1])
        case Number():
            return tree
    return Transpose(tree)


def scaled(tree: Tree, coefficient: Fraction, above: Sequence[Tree], below: Sequence[Tree]) -> Tree:
    """Return ``coefficient * above * tree / below`` with the scalars written in front and behind."""
    negative, coefficient = coefficient < 0, abs(coefficient)
    front = ([Number(Fraction(coefficient.numerator))] if coefficient.numerator != 1 else []) + list(above)
    back = ([Number(Fraction(coefficient.denominator))] if coefficient.denominator != 1 else []) + list(below)
    result = _in_front(front, tree)
    if back:
        result = Binary("/", result, product(back))
    return Negate(result) if negative else result


def _in_front(front: list[Tree], tree: Tree) -> Tree:
    if not front:
        return tree
    if tree == ONE:
        return product(front)
    if isinstance(tree, Binary) and tree.operator == "@" and all(isinstance(f, Number) for f in front):
        return Binary("@", _in_front(front, tree.left), tree.right)
    if isinstance(tree, Binary) and tree.operator == "/" and tree.left == ONE:
        return Binary("/", product(front), tree.right)
    if isinstance(tree, Binary) and tree.operator in {"*", "/"} and tree.left != ONE:
        return Binary(tree.operator, _in_front(front, tree.left), tree.right)
    return Binary("*", product(front), tree)


def raised_to(base: Tree, exponent: Tree, *, square: bool) -> Tree:
    """Return ``base ^ exponent``, with ``.^`` for a square matrix."""
    if exponent == ONE:
        return base
    return Binary(".^" if square else "^", base, exponent)


def _is_compound(tree: Tree) -> bool:
    """Tell whether ``tree`` is a sum or a function of one, which reads better after names and powers."""
    match tree:
        case Call(_, arguments):
            return any(isinstance(argument, Binary) for argument in arguments)
        case Binary("+" | "-" | "@", _, _) | Reduce() | Binary("^", Call(), _):
            return True
    return False


def linear_sum(terms: Sequence[Tree], shape_of: Callable[[Tree], object]) -> Tree:
    """Return the sum of ``terms``, those that are sums over the same axes as one: rowsum(A - B)."""
    kept: list[Tree] = []
    for term in terms:
        for place, other in enumerate(kept):
            joined = _joined(other, term, shape_of)
            if joined is not None:
                kept[place] = joined
                break
        else:
            kept.append(term)
    return plus(kept)


@dataclass(frozen=True, slots=True)
class _Total:
    """A sum as a term of a sum: ``function(inner) / below``, or its negative, which is in ``inner``."""

    function: str
    inner: Tree
    below: Tree | None


def _total(tree: Tree) -> _Total | None:
    minus = isinstance(tree, Negate)
    call = tree.operand if isinstance(tree, Negate) else tree
    below: Tree | None = None
    if isinstance(call, Binary) and call.operator == "/":
        below = call.right
        call = call.left
    if isinstance(call, Call) and call.function in {"sum", "rowsum", "colsum", "tr"}:
        return _Total(call.function, Negate(call.arguments[0]) if minus else call.arguments[0], below)
    return None


def _joined(first: Tree, second: Tree, shape_of: Callable[[Tree], object]) -> Tree | None:
    """Return the sum of two sums as one, or None where they are not alike."""
    one, other = _total(first), _total(second)
    if one is None or other is None or (one.function, one.below) != (other.function, other.below):
        return None
    shapes = [shape_of(total.inner) for total in (one, other)]
    if shapes[0] is None or shapes[0] != shapes[1]:
        return None
    call = Call(one.function, (plus([one.inner, other.inner]),))
    return call if one.below is None else Binary("/", call, one.below)


def transposes(tree: Tree) -> int:
    """Return how many transposes are written in ``tree``."""
    return isinstance(tree, Transpose) + sum(transposes(child) for child in children(tree))
