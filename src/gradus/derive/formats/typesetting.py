"""A tree in two dimensions: fractions, superscripts, subscripts. What these look like is said by a notation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gradus.derive.ranks import rank
from gradus.derive.text import ATOM, POWER, PRECEDENCE, PRODUCT, SIGN, SUM, number_text
from gradus.derive.tree import Binary, Call, Name, Negate, Number, Reduce, Subscript, Transpose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradus.derive.program import Program
    from gradus.derive.tree import Tree


class Notation(Protocol):
    """LaTeX or MathML: strings put together."""

    def name(self, name: str) -> str: ...  # noqa: D102
    def number(self, text: str) -> str: ...  # noqa: D102
    def operator(self, sign: str) -> str: ...  # noqa: D102
    def function(self, name: str) -> str: ...  # noqa: D102
    def row(self, *pieces: str) -> str: ...  # noqa: D102
    def brackets(self, inner: str) -> str: ...  # noqa: D102
    def fraction(self, above: str, below: str) -> str: ...  # noqa: D102
    def superscript(self, base: str, exponent: str) -> str: ...  # noqa: D102
    def subscript(self, base: str, index: str) -> str: ...  # noqa: D102
    def root(self, inner: str) -> str: ...  # noqa: D102
    def norm(self, inner: str) -> str: ...  # noqa: D102
    def total(self, under: str, body: str) -> str: ...  # noqa: D102


class Typesetter:
    """Sets trees over the names of ``program`` in ``notation``."""

    def __init__(self, program: Program, notation: Notation) -> None:
        self.program = program
        self.notation = notation

    def set(self, tree: Tree) -> str:
        """Return ``tree`` in the notation."""
        return self._set(tree)[0]

    def _set(self, tree: Tree) -> tuple[str, int]:
        n = self.notation
        match tree:
            case Number(value=value):
                if value.denominator != 1 and "/" in number_text(value):
                    return n.fraction(n.number(str(value.numerator)), n.number(str(value.denominator))), ATOM
                return n.number(number_text(value)), ATOM
            case Name(name=name):
                return self.name(name), ATOM
            case Negate(operand=operand):
                return n.row(n.operator("-"), self._at_least(operand, PRODUCT)), SIGN
            case Transpose(operand=operand):
                return n.superscript(self._at_least(operand, ATOM), n.operator("⊤")), POWER
            case Subscript(base=base, positions=positions):
                return self._subscript(base, positions), ATOM
            case Reduce():
                return self._reduce(tree), PRODUCT
            case Binary():
                return self._binary(tree)
            case Call():
                return self._call(tree)

    def name(self, name: str) -> str:
        """Return a name, a derivative as a fraction of differentials."""
        if "/" in name:
            above, _, below = name.partition("/")
            return self.derivative(above[1:], below[1:])
        return self.notation.name(name)

    def derivative(self, target: str, variable: str, power: str = "") -> str:
        """Return the derivative of ``target`` in ``variable`` as a fraction."""
        n = self.notation
        sign = n.operator("∂")
        above = n.superscript(sign, n.number(power)) if power else sign
        below = n.row(sign, n.name(variable))
        return n.fraction(n.row(above, n.name(target)), n.superscript(below, n.number(power)) if power else below)

    def _at_least(self, tree: Tree, level: int, *, strict: bool = False) -> str:
        text, own = self._set(tree)
        return self.notation.brackets(text) if own < level or (strict and own == level) else text

    def indices(self, positions: Sequence[str | int | None]) -> str:
        """Return what stands below a name."""
        n = self.notation
        pieces: list[str] = []
        for position in positions:
            if pieces:
                pieces.append(n.operator(","))
            whole = position is None
            pieces.append(
                n.operator(":") if whole else n.name(position) if isinstance(position, str) else n.number(str(position))
            )
        return n.row(*pieces)

    def _subscript(self, base: Tree, positions: Sequence[str | int | None]) -> str:
        n = self.notation
        if isinstance(base, Call) and base.function == "eye" and None not in positions:
            return n.subscript(n.name("delta"), self.indices(positions))
        return n.subscript(self._at_least(base, ATOM), self.indices(positions))

    def _reduce(self, tree: Reduce) -> str:
        n = self.notation
        pieces = []
        named: set[str] = set()
        for condition in tree.conditions:
            right = n.name(condition.right) if isinstance(condition.right, str) else n.number(str(condition.right))
            pieces.append(n.row(n.name(condition.left), n.operator(condition.relation), right))
            named |= {condition.left, str(condition.right)}
        pieces = [n.name(name) for name in tree.indices if name not in named] + pieces
        under = _joined(n, pieces)
        body = self._at_least(tree.body, PRODUCT)
        if tree.function == "sum":
            return n.total(under, body)
        return n.row(n.subscript(n.function(tree.function), under), n.brackets(self.set(tree.body)))

    def _binary(self, tree: Binary) -> tuple[str, int]:
        n = self.notation
        left, right, operator = tree.left, tree.right, tree.operator
        arrays = [rank(side, self.program) > 0 for side in (left, right)]
        if operator in {"+", "-"}:
            second = self._at_least(right, SUM, strict=True)
            return n.row(self._at_least(left, SUM), n.operator(operator), second), SUM
        if operator == "/" and not arrays[1]:
            if arrays[0]:
                below = self.set(right)
                return n.row(n.fraction(n.number("1"), below), self._at_least(left, PRODUCT)), PRODUCT
            return n.fraction(self.set(left), self.set(right)), ATOM
        if operator == "/":
            return n.row(
                self._at_least(left, PRODUCT), n.operator("⊘"), self._at_least(right, PRODUCT, strict=True)
            ), PRODUCT
        if PRECEDENCE[operator] == POWER:
            return self._power(left, right, array=arrays[0])
        sign = n.operator("⊙") if operator != "@" and all(arrays) else n.operator("·") if _digits(left, right) else ""
        pieces = [self._at_least(left, PRODUCT), sign, self._at_least(right, PRODUCT)]
        return n.row(*(piece for piece in pieces if piece)), PRODUCT

    def _power(self, base: Tree, exponent: Tree, *, array: bool) -> tuple[str, int]:
        n = self.notation
        shown = self.set(exponent)
        if isinstance(base, Call) and base.function in {"norm"}:
            return n.superscript(self.set(base), shown), POWER
        above = n.row(n.operator("⊙"), shown) if array else shown
        return n.superscript(self._at_least(base, ATOM), above), POWER

    def _call(self, tree: Call) -> tuple[str, int]:
        n = self.notation
        name, arguments = tree.function, tree.arguments
        match name:
            case "sqrt":
                return n.root(self.set(arguments[0])), ATOM
            case "norm":
                return n.norm(self.set(arguments[0])), ATOM
            case "inv":
                return n.superscript(self._at_least(arguments[0], ATOM), n.row(n.operator("-"), n.number("1"))), POWER
            case "outer":
                left, right = (self._at_least(argument, ATOM) for argument in arguments)
                return n.row(left, n.superscript(right, n.operator("⊤"))), PRODUCT
            case "ones" | "eye":
                sizes = _joined(n, [self.set(argument) for argument in arguments])
                return n.subscript(n.function("1" if name == "ones" else "I"), sizes), ATOM
            case "abs":
                return n.row(n.operator("|"), self.set(arguments[0]), n.operator("|")), ATOM
        inner = _joined(n, [self.set(argument) for argument in arguments])
        return n.row(n.function(name), n.brackets(inner)), ATOM


def _joined(notation: Notation, pieces: Sequence[str]) -> str:
    row: list[str] = []
    for piece in pieces:
        row += [notation.operator(","), piece] if row else [piece]
    return notation.row(*row)


def _digits(left: Tree, right: Tree) -> bool:
    """Tell whether two numbers would run together."""
    while isinstance(right, Binary) and PRECEDENCE[right.operator] == PRODUCT:
        right = right.left
    return isinstance(right, Number) or (isinstance(left, Number) and isinstance(right, Binary))
