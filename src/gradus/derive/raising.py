"""From index form back to the tree of a formula: with matrices where that is possible, else with indices."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from typing import TYPE_CHECKING

from gradus.derive import algebra
from gradus.derive.binding import opened
from gradus.derive.contraction import NoMatrixForm, assembled, contracted, merged, turned_round
from gradus.derive.index_form import (
    Add,
    Apply,
    Entry,
    Expression,
    Extent,
    Function,
    Index,
    Mask,
    Multiply,
    Number,
    Power,
    Sum,
)
from gradus.derive.lowering import Lowering
from gradus.derive.orientation import can_turn, oriented, oriented_square, written_differences
from gradus.derive.products import ONE, Part, linear_sum, raised_to, scaled, transposes
from gradus.derive.raised_sums import as_mean, size_tree, with_indices
from gradus.derive.regrouping import regrouped, with_sizes_inside
from gradus.derive.tree import Binary, Call, Name, Negate, Subscript
from gradus.derive.tree import Number as NumberTree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradus.derive.declarations import Size
    from gradus.derive.facts import Facts
    from gradus.derive.index_form import Position
    from gradus.derive.tree import Tree


class Raiser:
    """Writes expressions of one program as trees; ``names`` are those of the indices that stay indices."""

    def __init__(self, facts: Facts, names: dict[Index, str] | None = None, *, indexed: bool, ones: bool) -> None:
        self.facts = facts
        self.names = dict(names or {})
        self.indexed = indexed
        self.ones = ones
        self.symmetric: set[Tree] = set()
        trees = (d.tree for d in facts.program.definitions.values() if d.tree is not None)
        self.habits = written_differences(trees)

    def tree(self, expression: Expression, axes: tuple[Index, ...]) -> Tree:
        """Return the array of ``expression`` over ``axes``, its other free indices written out.

        Raises
        ------
        NoMatrixForm : where it needs indices and ``indexed`` is off, or more axes than two
        """
        found = self.part(expression, axes)
        return self._broadcast(found, axes)

    def _broadcast(self, found: Part, axes: tuple[Index, ...]) -> Tree:
        if found.axes == axes or not found.axes:
            tree = found.tree
            return tree if found.axes == axes else self._filled(tree, axes)
        if set(found.axes) == set(axes):
            return turned_round(found, self.symmetric).tree
        missing = next(axis for axis in axes if axis not in found.axes)
        if not self.ones:
            raise NoMatrixForm
        ones = Call("ones", (size_tree(missing),))
        pair = (ones, found.tree) if axes[0] == missing else (found.tree, ones)
        return Call("outer", pair)

    def _filled(self, tree: Tree, axes: tuple[Index, ...]) -> Tree:
        ones = Call("ones", tuple(size_tree(axis) for axis in axes))
        if tree == ONE:
            return ones
        return Negate(Binary("*", tree.operand, ones)) if isinstance(tree, Negate) else Binary("*", tree, ones)

    def part(self, expression: Expression, axes: tuple[Index, ...]) -> Part:
        """Return ``expression`` over those of ``axes`` that it has."""
        own = tuple(axis for axis in axes if axis in expression.free)
        match expression:
            case Number() | Multiply() | Sum():
                return self._monomial(expression, own)
            case Extent(size=size):
                return Part((), (Name(size),))
            case Entry(array=array, at=at):
                return self._at(Name(array), at, own, symmetric=self.facts.symmetric_array(array))
            case Mask():
                return self._mask(expression, own)
            case Add(terms=terms):
                return Part(own, (self._sum_of_terms(terms, own),))
            case Power():
                return self._power(expression, own)
            case Function(name=name, arguments=()):
                return Part((), (Name(name),))
            case Function(name=name, arguments=arguments):
                return Part(own, (self._function(name, arguments, own),))
            case Apply():
                return self._apply(expression, own)
        raise TypeError(type(expression).__name__)

    def _sum_of_terms(self, terms: Sequence[Expression], own: tuple[Index, ...]) -> Tree:
        content, primitive = algebra.primitive_part(Add(tuple(terms)))
        if abs(content) != 1 and isinstance(primitive, Add):
            whole = primitive if content > 0 else Add(tuple(algebra.scaled(Fraction(-1), t) for t in primitive.terms))
            return scaled(self._sum_of_terms(whole.terms, own), abs(content), (), ())
        found = [self.part(term, own) for term in terms]
        return linear_sum([self._term(part, own) for part in found], self._shape)

    def _shape(self, tree: Tree) -> tuple[Size, ...] | None:
        """Return the shape of ``tree``, or None where it needs an index to have one."""
        lowering = Lowering(self.facts.program, "")
        return lowering.scope.shape_of(tree)

    def _term(self, part: Part, own: tuple[Index, ...]) -> Tree:
        if not part.axes:
            return part.tree
        tree = part.tree
        if part.axes == own:
            return tree
        if not self.names and part.axes == own[1:] and own[0].size != own[1].size:
            return tree
        minus = isinstance(tree, Negate)
        inner = tree.operand if isinstance(tree, Negate) else tree
        wide = self._broadcast(Part(part.axes, (inner,)), own)
        return Negate(wide) if minus else wide

    def _function(self, name: str, arguments: tuple[Expression, ...], own: tuple[Index, ...]) -> Tree:
        if name == "exp" and len(arguments) == 1 and arguments[0] == algebra.ONE:
            return Call("exp", (ONE,))
        first = self.tree(arguments[0], own)
        others = [self.part(argument, own) for argument in arguments[1:]]
        return Call(name, (first, *(part.tree if not part.axes else self._broadcast(part, own) for part in others)))

    def _power(self, expression: Power, own: tuple[Index, ...]) -> Part:
        base, exponent = expression.base, expression.exponent
        if exponent.free & set(own):
            raise NoMatrixForm
        negative = algebra.split(exponent)[0] < 0 if not isinstance(exponent, Add) else False
        size = algebra.multiply(algebra.MINUS_ONE, exponent) if negative else exponent
        if isinstance(size, Number) and size.value % 2 == 0:
            base = oriented_square(base, self.habits)
        tree = self._norm(base, size) or self._plain_power(base, size, own)
        return Part(own, (), (tree,)) if negative else Part(own, (tree,))

    def _plain_power(self, base: Expression, exponent: Expression, own: tuple[Index, ...]) -> Tree:
        inner = self.tree(base, own)
        if exponent == algebra.HALF:
            return Call("sqrt", (inner,))
        square = len(own) == 2 and own[0].size == own[1].size
        return raised_to(inner, self.tree(exponent, ()), square=square)

    def _norm(self, base: Expression, exponent: Expression) -> Tree | None:
        """A sum of squares to a power that is not 1 is a power of a norm."""
        if not isinstance(base, Sum) or not isinstance(exponent, Number) or base.free.intersection(()):
            return None
        indices, body = opened(base)
        if not isinstance(body, Power) or body.exponent != algebra.TWO:
            return None
        square = oriented_square(body.base, self.habits)
        try:
            inner = Raiser(self.facts, self.names, indexed=self.indexed, ones=self.ones).tree(square, indices)
        except NoMatrixForm:
            return None
        norm = Call("norm", (inner,))
        if exponent == algebra.ONE and isinstance(inner, Name):
            return None
        power = exponent.value * 2
        return norm if power == 1 else Binary("^", norm, NumberTree(power))

    def _monomial(self, expression: Expression, own: tuple[Index, ...]) -> Part:
        coefficient, rest = algebra.split(expression)
        factors = [] if rest == algebra.ONE else list(algebra.factors_of(rest))
        coefficient, factors = oriented(coefficient, factors, self.habits)
        factors = regrouped(with_sizes_inside(factors), own)
        parts: list[Part] = []
        turnable = [f for f in factors if isinstance(f, Sum) and can_turn(f.body, self.habits)]
        for factor in list(factors):
            if isinstance(factor, Sum):
                turn = coefficient < 0 and turnable == [factor]
                sign, found = self._sum_parts(factor, own, turn=turn)
                coefficient *= -sign if turn else sign
                parts.extend(as_mean(found, factor, factors))
        parts.extend(self.part(factor, own) for factor in factors if not isinstance(factor, Sum))
        found = merged(parts, self.symmetric)
        scalars = next((part for part in found if not part.axes), Part((), ()))
        array = assembled(found, own, self.symmetric)
        above, below = list(scalars.above), list(scalars.below)
        inner = array.tree if array.axes else ONE
        return Part(own, (scaled(inner, coefficient, above, below),))

    def _sum_parts(self, total: Sum, own: tuple[Index, ...], *, turn: bool) -> tuple[Fraction, list[Part]]:
        """Return a number and parts of which the product is ``total``, or with ``turn`` its negative."""
        norm = self._norm(total, algebra.ONE) if not set(own) & total.free else None
        if norm is not None:
            return Fraction(-1 if turn else 1), [Part((), (norm,))]
        indices, body = opened(total)
        try:
            return self._contracted(indices, body, own, turn=turn)
        except NoMatrixForm:
            if not self.indexed and set(own) & total.free:
                raise
            return Fraction(-1 if turn else 1), [with_indices(self, indices, body, own)]

    def _contracted(
        self, indices: tuple[Index, ...], body: Expression, own: tuple[Index, ...], *, turn: bool
    ) -> tuple[Fraction, list[Part]]:
        if any(isinstance(f, Mask) and f.relation == "!=" for f in algebra.factors_of(body)):
            raise NoMatrixForm
        coefficient, factors = oriented(Fraction(-1 if turn else 1), list(algebra.factors_of(body)), self.habits)
        parts = [self._upright(factor, (*own, *indices)) for factor in regrouped(factors, (*own, *indices))]
        if any(len(part.axes) > 2 for part in parts):
            raise NoMatrixForm
        return coefficient, contracted(parts, indices, self.symmetric)

    def _upright(self, factor: Expression, axes: tuple[Index, ...]) -> Part:
        """Return ``factor`` over its axes in the order that needs fewer transposes."""
        if len(factor.free.intersection(axes)) != 2:
            return self.part(factor, axes)
        found = []
        for order in (axes, axes[::-1]):
            with contextlib.suppress(NoMatrixForm):
                found.append(self.part(factor, order))
        if not found:
            raise NoMatrixForm
        return min(found, key=lambda part: transposes(part.tree))

    def _mask(self, mask: Mask, own: tuple[Index, ...]) -> Part:
        size = next(side for side in (mask.right, mask.left) if isinstance(side, Index))
        if mask.relation != "=" and not self.indexed and mask.relation == "!=":
            raise NoMatrixForm
        matrices: dict[str, Tree] = {
            "=": Call("eye", (size_tree(size),)),
            "!=": Binary("-", Call("ones", (size_tree(size), size_tree(size))), Call("eye", (size_tree(size),))),
            "<=": Call("tri", (size_tree(size),)),
            "<": Binary("-", Call("tri", (size_tree(size),)), Call("eye", (size_tree(size),))),
        }
        at = (mask.right, mask.left) if mask.relation in {"<", "<="} else (mask.left, mask.right)
        return self._at(matrices[mask.relation], at, own, symmetric=mask.relation in {"=", "!="})

    def _at(self, array: Tree, at: tuple[Position, ...], own: tuple[Index, ...], *, symmetric: bool) -> Part:
        """Return the entries ``at`` of ``array``: what runs over ``own`` is an axis, the rest is written out."""
        axes = tuple(p for p in at if isinstance(p, Index) and p in own)
        if len(axes) > 2:
            raise NoMatrixForm
        if len(axes) == len(at):
            if len(set(axes)) < len(axes):
                return Part(axes[:1], (Call("diag", (array,)),))
            if symmetric:
                self.symmetric.add(array)
            return Part(axes, (array,))
        if len(set(axes)) < len(axes):
            raise NoMatrixForm
        return Part(axes, (Subscript(array, tuple(self._position(p, own) for p in at)),))

    def _position(self, position: Position, own: tuple[Index, ...]) -> str | int | None:
        if isinstance(position, int):
            return position
        if position in own:
            return None
        if position not in self.names:
            raise NoMatrixForm
        return self.names[position]

    def _apply(self, node: Apply, own: tuple[Index, ...]) -> Part:
        inner: list[Tree] = []
        batch: tuple[Index, ...] = ()
        for argument in node.arguments:
            indices, body = opened(argument)
            batch = tuple(axis for axis in own if axis in body.free)
            if len(batch) + len(indices) > 2:
                raise NoMatrixForm
            inner.append(self.tree(body, (*batch, *indices)))
        symmetric = node.name == "inv" and self.facts.symmetric_matrix(node.arguments[0])
        call = Call(node.name, tuple(inner))
        if set(batch) & set(node.at):
            raise NoMatrixForm
        at = (*batch, *node.at)
        return self._at(call, at, own, symmetric=symmetric) if at else Part((), (call,))
