"""From index patterns back to matrices: (ij,jk) summed over j is A @ B, (i,ij) is diag(x) @ A, (i,i) is x.T @ y."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from gradus.derive.products import Part, chain, quotient, transposed, transposes
from gradus.derive.tree import Binary, Call, Name, Number, Transpose

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gradus.derive.index_form import Index
    from gradus.derive.tree import Tree


class NoMatrixForm(Exception):  # noqa: N818
    """An index pattern has no matrix form; it is then written with indices."""


def contracted(parts: Sequence[Part], bound: Sequence[Index], symmetric: Collection[Tree]) -> list[Part]:
    """Sum ``parts`` over ``bound`` and return what is left, at most one part for each set of axes.

    Raises
    ------
    NoMatrixForm : an index stands in three matrices, or the like
    """
    remaining = list(bound)
    parts = merged(parts, symmetric)
    while remaining:
        step = _cheapest(parts, remaining)
        if step is None:
            raise NoMatrixForm
        index, touching = step
        rest = [part for part in parts if part not in touching]
        others = set().union(*(p.axes for p in rest)) if rest else set()
        both = len(touching) == 1 and len(touching[0].axes) == 2
        if both and all(axis in remaining and axis not in others for axis in touching[0].axes):
            parts = [*rest, _total(touching[0])]
            remaining = [i for i in remaining if i not in touching[0].axes]
        else:
            parts = [*rest, _summed(index, touching, symmetric)]
            remaining.remove(index)
        parts = merged(parts, symmetric)
    return parts


def merged(parts: Sequence[Part], symmetric: Collection[Tree]) -> list[Part]:
    """Multiply the parts with the same axes entry by entry."""
    found: dict[frozenset[Index], Part] = {}
    for part in parts:
        key = frozenset(part.axes)
        first = found.get(key)
        if first is None:
            found[key] = part
            continue
        turned = part if part.axes == first.axes else turned_round(part, symmetric)
        found[key] = Part(first.axes, first.above + turned.above, first.below + turned.below)
    return list(found.values())


def turned_round(part: Part, symmetric: Collection[Tree]) -> Part:
    """Return the transpose of a matrix part."""
    above, below = (tuple(transposed(tree, symmetric) for tree in trees) for trees in (part.above, part.below))
    turned = Part(part.axes[::-1], above, below)
    whole = Part(part.axes[::-1], (transposed(part.tree, symmetric),))
    return min(turned, whole, key=lambda part: transposes(part.tree))


def _cheapest(parts: Sequence[Part], bound: Sequence[Index]) -> tuple[Index, list[Part]] | None:
    """Return the index to sum over next: vectors first, then matrix times vector, then matrix times matrix."""
    best: tuple[tuple[int, int], Index, list[Part]] | None = None
    for index in bound:
        touching = [part for part in parts if index in part.axes]
        matrices = sum(len(part.axes) == 2 for part in touching)
        if not touching or matrices > 2:
            continue
        rank = (matrices, -len(touching) if matrices == 1 else len(touching))
        if best is None or rank < best[0]:
            best = (rank, index, touching)
    return None if best is None else (best[1], best[2])


def _summed(index: Index, touching: list[Part], symmetric: Collection[Tree]) -> Part:
    vectors = [part for part in touching if len(part.axes) == 1]
    matrices = [part for part in touching if len(part.axes) == 2]
    if not matrices:
        return Part((), (_vector_sum(vectors[0]),))
    if len(matrices) == 1:
        if not vectors and matrices[0].axes[0] == index:
            return Part(matrices[0].axes[1:], (Call("colsum", (matrices[0].tree,)),))
        matrix = matrices[0] if matrices[0].axes[1] == index else turned_round(matrices[0], symmetric)
        if vectors:
            return Part(matrix.axes[:1], (chain(matrix.tree, vectors[0].tree),))
        return Part(matrix.axes[:1], (Call("rowsum", (matrix.tree,)),))
    left, right = matrices
    left = left if left.axes[1] == index else turned_round(left, symmetric)
    right = right if right.axes[0] == index else turned_round(right, symmetric)
    middle = chain(left.tree, Call("diag", (vectors[0].tree,))) if vectors else left.tree
    return Part((left.axes[0], right.axes[1]), (chain(middle, right.tree),))


def _total(matrix: Part) -> Part:
    if matrix.below or len(matrix.above) != 1:
        return Part((), (Call("sum", (matrix.tree,)),))
    tree = matrix.above[0]
    if isinstance(tree, Binary) and tree.operator in {"^", ".^"} and _is_two(tree.right):
        return Part((), (Binary("^", Call("norm", (tree.left,)), tree.right),))
    return Part((), (Call("sum", (tree,)),))


def _is_two(tree: Tree) -> bool:
    return isinstance(tree, Number) and tree.value == 2


def _vector_sum(vector: Part) -> Tree:
    above = vector.above
    if not vector.below and len(above) == 1:
        tree = above[0]
        if isinstance(tree, Binary) and tree.operator == "^" and _is_two(tree.right):
            if isinstance(tree.left, Name):
                return chain(Transpose(tree.left), tree.left)
            return Binary("^", Call("norm", (tree.left,)), tree.right)
        if isinstance(tree, Call) and tree.function == "diag":
            return Call("tr", tree.arguments)
    if not vector.below and len(above) == 2 and not any(isinstance(t, Binary) and t.operator in "^/" for t in above):
        return _dot(*above)
    return Call("sum", (quotient(above, vector.below),))


def _dot(left: Tree, right: Tree) -> Tree:
    """Return ``left.T @ right``, a product with matrices on the right."""
    if isinstance(left, Binary) and left.operator == "@" and not (isinstance(right, Binary) and right.operator == "@"):
        left, right = right, left
    return chain(Transpose(left), right)


def assembled(parts: Sequence[Part], axes: tuple[Index, ...], symmetric: Collection[Tree]) -> Part:
    """Join vectors and matrices over ``axes`` into one part over them; outer products and diagonals appear here."""
    arrays = [part for part in parts if part.axes]
    if not arrays:
        return Part((), ())
    if len(arrays) == 1 and set(arrays[0].axes) == set(axes):
        return arrays[0] if arrays[0].axes == axes else turned_round(arrays[0], symmetric)
    if len(axes) != 2:
        raise NoMatrixForm
    matrix = next((part for part in arrays if len(part.axes) == 2), None)
    if matrix is not None and matrix.axes != axes:
        matrix = turned_round(matrix, symmetric)
    rows, columns = (next((p for p in arrays if p.axes == (axis,)), None) for axis in axes)
    if matrix is None:
        assert rows is not None
        assert columns is not None
        return Part(axes, (Call("outer", (rows.tree, columns.tree)),))
    return _scaled_matrix(matrix, rows, columns)


def _scaled_matrix(matrix: Part, rows: Part | None, columns: Part | None) -> Part:
    identity = [t for t in matrix.above if isinstance(t, Call) and t.function == "eye"]
    if identity and len(matrix.above) == 1 and not matrix.below:
        scales = [part for part in (rows, columns) if part is not None]
        above = tuple(itertools.chain(*(part.above for part in scales)))
        below = tuple(itertools.chain(*(part.below for part in scales)))
        return Part(matrix.axes, (Call("diag", (quotient(above, below),)),))
    tree = matrix.tree
    if rows is not None:
        tree = chain(Call("diag", (rows.tree,)), tree)
    if columns is not None:
        tree = chain(tree, Call("diag", (columns.tree,)))
    return replace(matrix, above=(tree,), below=())
