"""Indices while a formula is read: which are bound, and what size they have."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gradus.derive import algebra
from gradus.derive.binding import fresh
from gradus.derive.index_form import Index
from gradus.derive.shaped import Shaped, shown_shape
from gradus.derive.tree import Name, Number, Subscript, children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradus.derive.declarations import Size
    from gradus.derive.errors import FormulaError
    from gradus.derive.index_form import Expression, Position
    from gradus.derive.program import Program
    from gradus.derive.tree import Call, Condition, Tree


class Scope:
    """The indices that are bound at a place of a formula; a size is found from where the index is first used."""

    def __init__(self, program: Program, error: Callable[[str, Tree], FormulaError]) -> None:
        self.program = program
        self.error = error
        self.bound: dict[str, Index] = {}

    def new(self, size: Size) -> Index:
        """Return an index of its own."""
        return fresh(Index("", size))

    def is_index(self, name: str) -> bool:
        """Tell whether ``name`` is bound here."""
        return name in self.bound

    @contextmanager
    def binding(self, names: tuple[str, ...], bodies: tuple[Tree, ...], place: Tree) -> Iterator[tuple[Index, ...]]:
        """Bind ``names`` inside the block; their sizes are found in ``bodies``."""
        added: dict[str, Index] = {}
        for name in names:
            self.refuse_taken(name, place)
            sizes = [size for body in bodies for size in self._sizes(name, body)]
            if not sizes:
                raise self.error(f"the index {name!r} is used nowhere, so that its range is unknown", place)
            added[name] = self.new(sizes[0])
        self.bound.update(added)
        try:
            yield tuple(added.values())
        finally:
            for name in names:
                self.bound.pop(name, None)

    def refuse_taken(self, name: str, place: Tree) -> None:
        """Refuse an index with the name of something else."""
        if name in self.program.variables or name in self.program.definitions or name in self.program.sizes:
            raise self.error(f"the index {name!r} has the name of something else: choose another letter", place)

    def _sizes(self, name: str, tree: Tree) -> list[Size]:
        """Return the sizes of the axes of named arrays at which ``name`` stands."""
        found: list[Size] = []
        if isinstance(tree, Subscript):
            shape = self.shape_of(tree.base)
            if shape is not None:
                found.extend(s for s, p in zip(shape, tree.positions, strict=False) if p == name)
        for child in children(tree):
            found.extend(self._sizes(name, child))
        return found

    def shape_of(self, base: Tree) -> tuple[Size, ...] | None:
        """Return the shape of what an index stands behind, or None where it cannot be told yet."""
        if isinstance(base, Name) and (base.name in self.program.variables or base.name in self.program.definitions):
            return self.program.shape(base.name)
        try:
            from gradus.derive.lowering import Lowering

            inner = Lowering(self.program, "")
            inner.scope.bound = self.bound
            return inner.lower(base).shape
        except ValueError:
            return None

    def subscript(self, base: Shaped, positions: tuple[str | int | None, ...], tree: Tree) -> Shaped:
        """Return ``base[positions]``."""
        if len(positions) != len(base.axes):
            advice = ", write `:` for a whole axis" if len(positions) < len(base.axes) else ""
            sentence = f"{len(positions)} indices stand after {shown_shape(base)}, expected {len(base.axes)}{advice}"
            raise self.error(sentence, tree)
        at: list[Position] = []
        kept: list[Index] = []
        for axis, position in zip(base.axes, positions, strict=True):
            if position is None:
                kept.append(axis)
                at.append(axis)
            else:
                at.append(self._position(position, axis, tree))
        return Shaped(tuple(kept), base.at(at))

    def _position(self, position: str | int, axis: Index, tree: Tree) -> Position:
        if isinstance(position, int):
            if not isinstance(axis.size, int) and position > 1:
                raise self.error(
                    f"the position {position} of an axis of size {axis.size} may not exist: "
                    "give the size as a number, or use an index",
                    tree,
                )
            if isinstance(axis.size, int) and position >= axis.size:
                raise self.error(f"the position {position} is outside of 0 to {axis.size - 1}", tree)
            return position
        index = self.bound.get(position)
        if index is None:
            sentence = f"the index {position!r} is bound nowhere: write sum[{position}](...) around it"
            raise self.error(sentence, tree)
        if index.size != axis.size:
            sentence = f"the index {position!r} runs over {index.size} and stands at an axis of size {axis.size}"
            raise self.error(sentence, tree)
        return index

    def condition(self, condition: Condition, tree: Tree) -> Expression:
        """Return the indicator of ``condition``."""
        left, right = self._side(condition.left, tree), self._side(condition.right, tree)
        sizes = {side.size for side in (left, right) if isinstance(side, Index)}
        if len(sizes) > 1:
            raise self.error(f"the condition compares indices of sizes {' and '.join(sorted(map(str, sizes)))}", tree)
        relation = condition.relation
        if relation in {">", ">="}:
            relation, left, right = {">": "<", ">=": "<="}[relation], right, left
        return algebra.mask(relation, left, right)

    def _side(self, side: str | int, tree: Tree) -> Position:
        if isinstance(side, int):
            return side
        if side not in self.bound:
            raise self.error(f"the index {side!r} is bound nowhere", tree)
        return self.bound[side]

    def constant_array(self, tree: Call) -> Shaped:
        """Return ``ones(D)``, ``ones(N, D)``, ``eye(D)``, or ``tri(D)`` with ones on and below the diagonal."""
        sizes: list[Size] = []
        for argument in tree.arguments:
            if isinstance(argument, Name) and argument.name in self.program.sizes:
                sizes.append(argument.name)
            elif isinstance(argument, Number) and argument.value.denominator == 1 and argument.value > 0:
                sizes.append(int(argument.value))
            else:
                raise self.error(f"{tree.function} needs sizes: names of sizes, or whole numbers", argument)
        if tree.function in {"eye", "tri"}:
            row, column = self.new(sizes[0]), self.new(sizes[0])
            entry = algebra.mask("=", row, column) if tree.function == "eye" else algebra.mask("<=", column, row)
            return Shaped((row, column), entry)
        if len(sizes) not in {1, 2}:
            raise self.error("ones has one or two sizes", tree)
        return Shaped(tuple(self.new(size) for size in sizes), algebra.ONE)
