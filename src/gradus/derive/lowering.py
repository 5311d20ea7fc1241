"""From the tree of a formula to index form, with the types checked on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.core.errors import did_you_mean
from gradus.derive import algebra
from gradus.derive.array_calls import ARRAY_CALLS
from gradus.derive.declarations import Variable
from gradus.derive.document import Document, read_document
from gradus.derive.errors import FormulaError
from gradus.derive.functions import ELEMENTWISE, OF_ARRAYS
from gradus.derive.index_form import Entry, Expression, Function, Index
from gradus.derive.program import Definition, Program
from gradus.derive.scope import Scope
from gradus.derive.shaped import Shaped, entrywise, matrix_product, over_new_indices, shown_shape
from gradus.derive.tree import (
    Binary,
    Call,
    Name,
    Negate,
    Number,
    Reduce,
    Subscript,
    Transpose,
    children,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradus.derive.tree import Tree


def read_program(text: str) -> Program:
    """Read ``text`` and return its variables and definitions in index form.

    Raises
    ------
    FormulaError : with a caret, where the text is wrong
    """
    return lower_document(read_document(text))


def lower_document(document: Document) -> Program:
    """Return the program of ``document``; in one without declarations every unknown name is a scalar."""
    if not document.variables:
        document.variables.update({name: Variable(name) for name in _undeclared(document)})
    program = Program(dict(document.variables))
    for line in document.definitions.values():
        lowering = Lowering(program, document.text)
        shaped, indices = lowering.definition(line.body, line.indices)
        axes, body = over_new_indices(shaped, line.indices)
        program.definitions[line.name] = Definition(line.name, axes, body, line.body, indices)
    return program


def _undeclared(document: Document) -> list[str]:
    from gradus.derive.tree import names

    known = {*document.definitions, "pi"}
    found: dict[str, None] = {}
    for line in document.definitions.values():
        found.update(dict.fromkeys(sorted(names(line.body) - known)))
    return list(found)


class Lowering:
    """Lowers trees over the names of ``program``; errors point into ``text``."""

    def __init__(self, program: Program, text: str) -> None:
        self.program = program
        self.text = text
        self.scope = Scope(program, self.error)

    def error(self, sentence: str, tree: Tree) -> FormulaError:
        """Return an error at the place of ``tree``."""
        return FormulaError(sentence, self.text, tree.span.start, tree.span.end)

    def definition(self, body: Tree, indices: tuple[str, ...] = ()) -> tuple[Shaped, tuple[str, ...]]:
        """Lower ``body``; with ``indices``, it is a scalar for each of their values."""
        with self.scope.binding(indices, (body,), body) as bound:
            shaped = self.lower(body)
        if indices and shaped.axes:
            found = shown_shape(shaped)
            raise self.error(f"a definition of entries needs a scalar on its right, which is {found}", body)
        if not indices:
            return shaped, ()
        return Shaped(bound, shaped.body), indices

    def lower(self, tree: Tree) -> Shaped:
        """Return the array that ``tree`` means."""
        match tree:
            case Number(value=value):
                return Shaped((), algebra.number(value))
            case Name():
                return self._name(tree)
            case Negate(operand=operand):
                inner = self.lower(operand)
                return Shaped(inner.axes, algebra.multiply(algebra.MINUS_ONE, inner.body), row=inner.row)
            case Transpose(operand=operand):
                return self._transpose(tree, self.lower(operand))
            case Subscript(base=base, positions=positions):
                return self.scope.subscript(self.lower(base), positions, tree)
            case Binary():
                return self._binary(tree)
            case Call():
                return self._call(tree)
            case Reduce():
                return self._reduce(tree)

    def _name(self, tree: Name) -> Shaped:
        name = tree.name
        if name in self.program.variables or name in self.program.definitions:
            axes = tuple(self.scope.new(size) for size in self.program.shape(name))
            return Shaped(axes, Entry(name, axes))
        if name in self.program.sizes:
            return Shaped((), algebra.extent(name))
        if name == "pi":
            return Shaped((), Function("pi", ()))
        if self.scope.is_index(name):
            raise self.error(f"{name!r} is an index and stands where a value is expected", tree)
        known = [*self.program.variables, *self.program.definitions, *self.program.sizes]
        advice = did_you_mean(name, known) or f": declare it, as {name}: scalar"
        raise self.error(f"{name!r} is not declared{advice}", tree)

    def _transpose(self, tree: Tree, inner: Shaped) -> Shaped:
        if len(inner.axes) > 2:
            raise self.error(f"only vectors and matrices have a transpose, not {shown_shape(inner)}", tree)
        if len(inner.axes) == 1:
            return Shaped(inner.axes, inner.body, row=not inner.row)
        return Shaped(inner.axes[::-1], inner.body)

    def _binary(self, tree: Binary) -> Shaped:
        left, right = self.lower(tree.left), self.lower(tree.right)
        operator = tree.operator
        if operator == "·":
            if left.axes and right.axes:
                sentence = (
                    "`·` between arrays could mean two things: write `@` (matrix product) or `*` (entry by entry)"
                )
                raise self.error(sentence, tree)
            operator = "*"
        try:
            if operator == "@":
                return matrix_product(left, right)
            if operator == "^" and len({a.size for a in left.axes}) < len(left.axes):
                raise ValueError(
                    "`^` of a square matrix could mean two things: write A @ A (matrix product), inv(A), "
                    "or A .^ 2 (entry by entry)"
                )
            if operator in {"^", ".^"} and right.axes:
                raise ValueError(f"an exponent is a scalar, this one is {shown_shape(right)}")
            return entrywise(_OPERATIONS[operator], left, right)
        except ValueError as error:
            raise self.error(str(error), tree) from None

    def _call(self, tree: Call) -> Shaped:
        expected = (ELEMENTWISE | OF_ARRAYS)[tree.function]
        given = len(tree.arguments)
        if given != expected and tree.function not in {"ones", "max"}:
            sentence = f"{tree.function} has {given} arguments, expected {expected}"
            raise self.error(sentence, tree)
        if tree.function in {"ones", "eye", "tri"}:
            return self.scope.constant_array(tree)
        arguments = [self.lower(argument) for argument in tree.arguments]
        try:
            if tree.function in ELEMENTWISE:
                return self._entrywise(tree.function, arguments)
            return ARRAY_CALLS[tree.function](*arguments)
        except ValueError as error:
            raise self.error(str(error), tree) from None

    def _entrywise(self, name: str, arguments: list[Shaped]) -> Shaped:
        if any(a.axes and a.shape != arguments[0].shape for a in arguments[1:]):
            raise ValueError(f"the arguments of {name} are arrays of one shape, or scalars after the first")
        first, *others = arguments
        bodies = [o.at(first.axes) if o.axes else o.body for o in others]
        return Shaped(first.axes, algebra.function(name, first.body, *bodies), row=first.row)

    def _reduce(self, tree: Reduce) -> Shaped:
        new = tuple(name for name in tree.indices if not self.scope.is_index(name))
        if not new:
            raise self.error("every index here is bound already: a sum needs an index of its own", tree)
        with self.scope.binding(new, (tree.body,), tree) as bound:
            body = self.lower(tree.body)
            masks = [self.scope.condition(condition, tree) for condition in tree.conditions]
        try:
            return _reduced(tree.function, bound, masks, body)
        except ValueError as error:
            raise self.error(str(error), tree) from None


def _reduced(name: str, bound: tuple[Index, ...], masks: list[Expression], body: Shaped) -> Shaped:
    if name == "sum":
        return Shaped(body.axes, algebra.sum_over(bound, algebra.multiply(*masks, body.body)), row=body.row)
    if masks:
        raise ValueError(f"conditions are understood for sum only, not for {name}")
    if name == "mean":
        total = algebra.sum_over(bound, body.body)
        return Shaped(body.axes, algebra.divide(total, algebra.multiply(*(algebra.extent(b.size) for b in bound))))
    if len(bound) != 1:
        raise ValueError(f"{name} runs over one index")
    inner = ARRAY_CALLS[name](Shaped(bound, body.body))
    return Shaped(body.axes, inner.body, row=body.row)


_OPERATIONS: dict[str, Callable[[Expression, Expression], Expression]] = {
    "+": algebra.add,
    "-": algebra.subtract,
    "*": algebra.multiply,
    "/": algebra.divide,
    "^": algebra.power,
    ".^": algebra.power,
}


def subtrees(tree: Tree) -> list[Tree]:
    """Return ``tree`` and everything below it."""
    return [tree, *(inner for child in children(tree) for inner in subtrees(child))]
