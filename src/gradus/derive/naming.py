"""Give names to the inner parts that a person would name: arguments of functions, numerators, denominators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.derive.binding import array_of, opened, rebuilt, substitute
from gradus.derive.index_form import (
    Add,
    Apply,
    Entry,
    Expression,
    Function,
    Index,
    Lambda,
    Multiply,
    Number,
    Power,
    Sum,
    contains,
)
from gradus.derive.program import Definition, Program

if TYPE_CHECKING:
    from collections.abc import Iterator

_LETTERS = {0: "abcsuvtqh", 1: "zrhsuvt", 2: "ZRHSUVT"}


class Namer:
    """Introduces definitions into a program; the same part gets the same name."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._known: dict[str, str] = {}

    def named_program(self) -> Program:
        """Return the program with the parts of every definition named, in order."""
        result: dict[str, Definition] = {}
        for name, definition in list(self.program.definitions.items()):
            before = set(self.program.definitions)
            body = self.named(definition.body)
            for new in self.program.definitions:
                if new not in before:
                    result[new] = self.program.definitions[new]
            result[name] = Definition(name, definition.axes, body, definition.tree, definition.indices)
        return Program(self.program.variables, result)

    def named(self, expression: Expression) -> Expression:
        """Return ``expression`` with its inner parts replaced by names."""
        match expression:
            case Apply(name=name, arguments=arguments, at=at) if not name.startswith("conv2d"):
                return Apply(name, tuple(self._array(argument) for argument in arguments), at)
            case Function(name=name, arguments=arguments) if arguments:
                return Function(name, tuple(self._argument(argument) for argument in arguments))
            case Power(base=Add() as base, exponent=exponent) if _is_quotient_part(base):
                return Power(self._argument(base), exponent)
            case Multiply(factors=factors):
                return self._quotient(expression, factors)
        return rebuilt(expression, self.named)

    def _quotient(self, expression: Expression, factors: tuple[Expression, ...]) -> Expression:
        """Name numerator and denominator of a quotient of sums of scalars."""
        divides = any(isinstance(f, Power) and isinstance(f.base, Add) and _negative(f.exponent) for f in factors)
        if divides:
            changed: dict[Expression, Expression] = {
                f: self._argument(f) for f in factors if isinstance(f, Add) and not f.free and f.height == 0
            }
            if changed:
                from gradus.derive import algebra

                return algebra.multiply(*(changed.get(f) or self.named(f) for f in factors))
        return rebuilt(expression, self.named)

    def _array(self, argument: Lambda) -> Lambda:
        indices, body = opened(argument)
        body = self.named(body)
        if isinstance(body, Entry) and len(set(body.at)) == len(body.at):
            return array_of(indices, body)
        outer = sorted(body.free - set(indices))
        return array_of(indices, self._name((*outer, *indices), body))

    def _argument(self, argument: Expression) -> Expression:
        argument = self.named(argument)
        simple = _simple(argument) or (isinstance(argument, Multiply) and all(map(_simple, argument.factors)))
        if simple or not contains(argument, lambda node: isinstance(node, (Add, Sum))):
            return argument
        return self._name(tuple(sorted(argument.free)), argument)

    def _name(self, axes: tuple[Index, ...], body: Expression) -> Expression:
        named = tuple(Index(f"@{place}", axis.size) for place, axis in enumerate(axes))
        moved = substitute(body, dict(zip(axes, named, strict=True)))
        name = self._known.get(moved.key)
        if name is None:
            name = self._known[moved.key] = self._existing(moved, named) or next(self._free_names(len(axes)))
            if name not in self.program.definitions:
                self.program = self.program.with_definitions(Definition(name, named, moved))
        return Entry(name, axes)

    def _existing(self, body: Expression, axes: tuple[Index, ...]) -> str | None:
        for definition in self.program.definitions.values():
            if definition.shape == tuple(axis.size for axis in axes) and definition.entry(axes) == body:
                return definition.name
        return None

    def _free_names(self, rank: int) -> Iterator[str]:
        letters = _LETTERS.get(rank, "T")
        taken = {*self.program.variables, *self.program.definitions, *self.program.sizes}
        yield from (letter for letter in letters if letter not in taken)
        count = 1
        while True:
            if f"{letters[0]}{count}" not in taken:
                yield f"{letters[0]}{count}"
            count += 1


def _simple(expression: Expression) -> bool:
    return isinstance(expression, (Entry, Number)) or (isinstance(expression, Function) and not expression.arguments)


def _negative(exponent: Expression) -> bool:
    return isinstance(exponent, Number) and exponent.value < 0


def _is_quotient_part(base: Add) -> bool:
    return not base.free and base.height == 0


def dependencies(program: Program, name: str) -> set[str]:
    """Return the definitions and variables that ``name`` depends on, itself included."""
    from gradus.derive.index_form import arrays

    found = {name}
    stack = [name]
    while stack:
        definition = program.definitions.get(stack.pop())
        for inner in arrays(definition.body) if definition else ():
            if inner not in found:
                found.add(inner)
                stack.append(inner)
    return found
