"""Pieces of array code: text, how tightly it binds, and which axes its value has."""

from __future__ import annotations

import keyword
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradus.derive.tree import Call, Name, Subscript

if TYPE_CHECKING:
    from gradus.derive.program import Program
    from gradus.derive.tree import Tree

CALL = 6


@dataclass(frozen=True, slots=True)
class Piece:
    """Code of an array with ``rank`` axes; an ``indexed`` one has the running indices as axes before these.

    ``level`` is how tightly its outermost operation binds; ``row`` marks a transposed vector, and ``plain`` a number of
    Python's.
    """

    text: str
    level: int
    rank: int
    indexed: bool = False
    row: bool = False
    plain: bool = False


def safe_name(name: str) -> str:
    """Return ``name`` as an identifier of Python that shadows nothing that the code uses.

    Examples
    --------
    >>> safe_name("lambda"), safe_name("W"), safe_name("dL/dW")
    ('lambda_', 'W', 'dL_dW')
    """
    name = name.replace("/", "_")
    return f"{name}_" if keyword.iskeyword(name) or name in {"np", "torch", "math", "dtype", "device"} else name


def widened(piece: Piece, rank: int) -> Piece:
    """Give an indexed piece new axes at its end, so that it meets one of higher rank."""
    if not piece.indexed or piece.rank >= rank:
        return piece
    new = ", ".join(["None"] * (rank - piece.rank))
    return replace(piece, text=f"{bracketed(piece, CALL)}[..., {new}]", level=CALL, rank=rank)


def bracketed(piece: Piece, level: int) -> str:
    """Return the code, in brackets where it binds less tightly than ``level``."""
    return piece.text if piece.level >= level else f"({piece.text})"


def indices_in(tree: Tree) -> set[str]:
    """Return the running indices that ``tree`` mentions."""
    from gradus.derive.tree import children

    own = {p for p in tree.positions if isinstance(p, str)} if isinstance(tree, Subscript) else set()
    return own.union(*(indices_in(child) for child in children(tree)))


def extent_of(name: str, tree: Tree, program: Program) -> str | int | None:
    """Return the size of the axis at which the index ``name`` stands in ``tree``."""
    from gradus.derive.lowering import Lowering
    from gradus.derive.tree import children

    if isinstance(tree, Subscript) and name in tree.positions and isinstance(tree.base, (Name, Call)):
        place = tree.positions.index(name)
        shape = Lowering(program, "").scope.shape_of(tree.base)
        if shape is not None:
            return shape[place]
    found = (extent_of(name, child, program) for child in children(tree))
    return next((size for size in found if size is not None), None)
