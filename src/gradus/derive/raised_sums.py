"""Sums that stay sums when they are written: with running indices, or as means."""

from __future__ import annotations

import contextlib
import itertools
from fractions import Fraction
from typing import TYPE_CHECKING

from gradus.derive import algebra
from gradus.derive.contraction import NoMatrixForm
from gradus.derive.index_form import Expression, Index, Mask, Sum
from gradus.derive.products import Part
from gradus.derive.text import to_text
from gradus.derive.tree import Binary, Call, Condition, Name, Reduce, Transpose, children
from gradus.derive.tree import Number as NumberTree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradus.derive.raising import Raiser
    from gradus.derive.tree import Tree

_LETTERS = "ijklmnpqrstuvabcdefgh"


def with_indices(raiser: Raiser, indices: tuple[Index, ...], body: Expression, own: tuple[Index, ...]) -> Part:
    """Write as few of ``indices`` as possible as running indices of a sum, the rest as matrices."""
    found: list[Part] = []
    for count in range(1, len(indices) + 1):
        for chosen in itertools.combinations(indices, count):
            kept = dict(raiser.names)
            with contextlib.suppress(NoMatrixForm):
                found.append(_running_sum(raiser, chosen, [i for i in indices if i not in chosen], body, own))
            raiser.names = kept
    if not found:
        raise NoMatrixForm
    return min(found, key=lambda part: (_running(part.tree), len(to_text(part.tree))))


def _running_sum(
    raiser: Raiser, chosen: tuple[Index, ...], rest: list[Index], body: Expression, own: tuple[Index, ...]
) -> Part:
    masks = [f for f in algebra.factors_of(body) if isinstance(f, Mask) and f.free & set(chosen)]
    if any(mask.free & {*rest, *own} for mask in masks):
        raise NoMatrixForm
    for index in chosen:
        raiser.names[index] = _new_name(raiser)
    inner = algebra.multiply(*(f for f in algebra.factors_of(body) if f not in masks))
    inner = algebra.sum_over(rest, inner)
    part = raiser.part(inner, own)
    conditions = tuple(_condition(raiser, mask, chosen) for mask in masks)
    names = tuple(raiser.names[index] for index in chosen)
    tree = part.tree
    if isinstance(tree, Reduce) and tree.function == "sum":
        names, conditions, tree = names + tree.indices, conditions + tree.conditions, tree.body
    return Part(part.axes, (Reduce("sum", names, conditions, tree),))


def _new_name(raiser: Raiser) -> str:
    program = raiser.facts.program
    taken = {*program.variables, *program.definitions, *program.sizes, *raiser.names.values(), "pi"}
    free = (letter for letter in _LETTERS if letter not in taken)
    return next(itertools.chain(free, (f"i{n}" for n in itertools.count(1) if f"i{n}" not in taken)))


def _condition(raiser: Raiser, mask: Mask, chosen: Iterable[Index]) -> Condition:
    left, right, relation = mask.left, mask.right, mask.relation
    if isinstance(left, int) or left not in chosen:
        left, right = right, left
        relation = {"<": ">", "<=": ">="}.get(relation, relation)
    assert isinstance(left, Index)
    return Condition(raiser.names[left], relation, right if isinstance(right, int) else raiser.names[right])


def _running(tree: Tree) -> int:
    """Return how many running indices are written in ``tree``."""
    own = len(tree.indices) if isinstance(tree, Reduce) else 0
    return own + sum(_running(child) for child in children(tree))


def as_mean(parts: list[Part], total: Sum, factors: list[Expression]) -> list[Part]:
    """Write a sum that is divided by its size as a mean, and take the size out of ``factors``."""
    sizes = [algebra.power(algebra.extent(index.size), algebra.MINUS_ONE) for index in total.indices]
    if len(parts) == 1 and all(size in factors for size in sizes) and len(set(sizes)) == len(sizes):
        match parts[0]:
            case Part(axes=(), above=(Call("sum", (inner,)),), below=()):
                pass
            case Part(axes=(), above=(Binary("@", Transpose(left), right),), below=()) if len(sizes) == 1:
                inner = Binary("^", left, NumberTree(Fraction(2))) if left == right else Binary("*", left, right)
            case Part(axes=(), above=(Binary("^", Call("norm", (vector,)), NumberTree(value=Fraction(numerator=2))),)):
                inner = Binary("^", vector, NumberTree(Fraction(2)))
            case _:
                return parts
        for size in sizes:
            factors.remove(size)
        return [Part((), (Call("mean", (inner,)),))]
    return parts


def size_tree(index: Index) -> Tree:
    """Return the size of ``index`` as a tree."""
    return Name(index.size) if isinstance(index.size, str) else NumberTree(Fraction(index.size))
