"""The tree of a formula as a person wrote it; what is printed is such a tree too, so it can be read back.

``*``, ``/`` and ``^`` work entry by entry, ``@`` is the matrix product. A span says which characters a node came from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Span:
    """The characters ``text[start:end]``."""

    start: int
    end: int


NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Number:
    """An exact number, as 3, 0.25 or 1e-4 was written."""

    value: Fraction
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a definition, a size or a constant."""

    name: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """``function(arguments)``."""

    function: str
    arguments: tuple[Tree, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """``left operator right`` with operator one of ``+ - * / @ ^ .^ ·``."""

    operator: str
    left: Tree
    right: Tree
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Negate:
    """``-operand``."""

    operand: Tree
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Transpose:
    """``operand.T``."""

    operand: Tree
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Subscript:
    """``base[positions]``: an index by its name, a number counted from 0, or None for ``:``."""

    base: Tree
    positions: tuple[str | int | None, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Condition:
    """``left relation right`` between two indices, with relation one of ``!= < <= = > >=``."""

    left: str
    relation: str
    right: str | int


@dataclass(frozen=True, slots=True)
class Reduce:
    """``function[indices](body)``, for instance ``sum[i!=j](body)``; indices that are bound already stay bound."""

    function: str
    indices: tuple[str, ...]
    conditions: tuple[Condition, ...]
    body: Tree
    span: Span = field(default=NOWHERE, compare=False)


Tree = Number | Name | Call | Binary | Negate | Transpose | Subscript | Reduce


def children(tree: Tree) -> tuple[Tree, ...]:
    """Return the trees directly below ``tree``."""
    match tree:
        case Call(arguments=arguments):
            return arguments
        case Binary(left=left, right=right):
            return (left, right)
        case Negate(operand=operand) | Transpose(operand=operand):
            return (operand,)
        case Subscript(base=base):
            return (base,)
        case Reduce(body=body):
            return (body,)
        case _:
            return ()


def names(tree: Tree) -> frozenset[str]:
    """Return every name that ``tree`` mentions, indices not counted."""
    own = {tree.name} if isinstance(tree, Name) else set()
    return frozenset(own.union(*(names(child) for child in children(tree))))
