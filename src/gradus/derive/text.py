"""A tree as plain text that can be read back."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from gradus.derive.tree import Binary, Call, Condition, Name, Negate, Number, Reduce, Subscript, Transpose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradus.derive.declarations import Variable
    from gradus.derive.tree import Tree

SUM, SIGN, QUOTIENT, PRODUCT, POWER, ATOM = 1, 2, 3, 4, 5, 6
PRECEDENCE = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "@": PRODUCT, "·": PRODUCT, "^": POWER, ".^": POWER}


def to_text(tree: Tree) -> str:
    """Return ``tree`` as text.

    Examples
    --------
    >>> to_text(Binary("@", Transpose(Name("X")), Binary("-", Name("p"), Name("y"))))
    'X.T @ (p - y)'
    """
    return _text(tree)[0]


def precedence(tree: Tree) -> int:
    """Return how tightly the outermost operation of ``tree`` binds."""
    match tree:
        case Binary(operator=operator):
            return PRECEDENCE[operator]
        case Negate():
            return SIGN
        case Name(name=name):
            return QUOTIENT if "/" in name else ATOM
        case Number(value=value):
            return ATOM if (value.denominator == 1 and value >= 0) or (_decimal(value) and value >= 0) else PRODUCT
    return ATOM


def number_text(value: Fraction) -> str:
    """Return an exact number as text: a decimal where it is short and exact, else a quotient.

    Examples
    --------
    >>> number_text(Fraction(1, 4)), number_text(Fraction(1, 3)), number_text(Fraction(7))
    ('0.25', '1/3', '7')
    """
    if value.denominator == 1:
        return str(value.numerator)
    return _decimal(value) or f"{value.numerator}/{value.denominator}"


def _decimal(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return ""
    shown = repr(float(value))
    return shown if Fraction(shown) == value and len(shown) <= 8 else ""


def _text(tree: Tree) -> tuple[str, int]:
    level = precedence(tree)
    match tree:
        case Number(value=value):
            return number_text(value), level
        case Name(name=name):
            return name, level
        case Call(function=function, arguments=arguments):
            return f"{function}({', '.join(map(to_text, arguments))})", level
        case Negate(operand=operand):
            return f"-{_at_least(operand, PRODUCT, strict=False)}", level
        case Transpose(operand=operand):
            return f"{_at_least(operand, ATOM, strict=False)}.T", level
        case Subscript(base=base, positions=positions):
            return f"{_at_least(base, ATOM, strict=False)}[{_positions(positions)}]", level
        case Reduce():
            return f"{tree.function}[{reduce_head(tree)}]({to_text(tree.body)})", level
        case Binary(operator=operator, left=left, right=right):
            return _binary(operator, left, right, level), level
    raise TypeError(type(tree).__name__)


def _binary(operator: str, left: Tree, right: Tree, level: int) -> str:
    if level == POWER:
        return f"{_at_least(left, ATOM, strict=False)}{operator}{_at_least(right, ATOM, strict=False)}"
    before = _at_least(left, level, strict=False)
    after = _at_least(right, level, strict=True)
    if isinstance(right, Negate):
        after = f"({to_text(right)})"
    if level == PRODUCT and _needs_brackets(operator, left):
        before = f"({to_text(left)})"
    spaced = operator in {"+", "-", "@"} or (operator == "/" and isinstance(left, Binary) and left.operator == "@")
    return f"{before} {operator} {after}" if spaced else f"{before}{operator}{after}"


def _needs_brackets(operator: str, left: Tree) -> bool:
    """Tell whether ``left`` is bracketed for the reader, although the grammar would not need it."""
    if isinstance(left, Negate):
        return operator == "@"
    if not isinstance(left, Binary):
        return False
    if operator == "@":
        return left.operator in {"*", "/"} and not isinstance(_leftmost(left), Number)
    return operator == "*" and left.operator == "@"


def _leftmost(tree: Tree) -> Tree:
    while isinstance(tree, Binary) and PRECEDENCE[tree.operator] == PRODUCT:
        tree = tree.left
    return tree


def _at_least(tree: Tree, level: int, *, strict: bool) -> str:
    text, own = _text(tree)
    return f"({text})" if own < level or (strict and own == level) else text


def _positions(positions: Sequence[str | int | None]) -> str:
    return ",".join(":" if p is None else str(p) for p in positions)


def reduce_head(tree: Reduce) -> str:
    """Return what stands between the brackets: every index once, with its conditions."""
    conditions = {condition.left: condition for condition in reversed(tree.conditions)}
    shown = [_condition(conditions.pop(name)) if name in conditions else name for name in tree.indices]
    joined = {c.right for c in tree.conditions if c.left in tree.indices}
    shown = [text for text, name in zip(shown, tree.indices, strict=True) if name not in joined or text != name]
    return ", ".join(shown + [_condition(c) for c in tree.conditions if c.left not in tree.indices])


def _condition(condition: Condition) -> str:
    return f"{condition.left}{condition.relation}{condition.right}"


def declaration_text(variable: Variable) -> str:
    """Return the type of a variable, as in a declaration.

    Examples
    --------
    >>> from gradus.derive.declarations import Variable
    >>> declaration_text(Variable("y", ("K",), frozenset({"simplex"})))
    'y: vec(K) simplex'
    """
    kind = {0: "scalar", 1: "vec", 2: "mat"}.get(len(variable.shape), "tensor")
    sizes = f"({', '.join(map(str, variable.shape))})" if variable.shape else ""
    return " ".join([f"{variable.name}: {kind}{sizes}", *sorted(variable.domains)])
