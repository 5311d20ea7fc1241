"""A derivation for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.derive.steps import Left, Line
from gradus.derive.text import declaration_text, to_text
from gradus.derive.values import shown

if TYPE_CHECKING:
    from gradus.derive.derivation import Derivation
    from gradus.derive.derivative import Derivative
    from gradus.derive.tree import Tree

WIDEST_VALUE = 60


def plain(derivation: Derivation) -> str:
    """Return the derivation as text: as read, step by step, closed form."""
    blocks = [
        _block("Read as", echo(derivation)),
        _block("Forward", _table(derivation.forward)),
        _block("Backward", _table(derivation.backward)),
        _block("Closed form", _table(tuple(closing_lines(derivation)))),
    ]
    if derivation.used:
        blocks.append(f"used: {', '.join(derivation.used)}")
    if derivation.conventions:
        blocks.append(f"at kinks: {'; '.join(derivation.conventions)}")
    return "\n\n".join(block for block in blocks if block)


def _block(title: str, lines: list[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)]) if lines else ""


def echo(derivation: Derivation) -> list[str]:
    """Return declarations and definitions as they were read."""
    program = derivation.program
    lines = [declaration_text(variable) for variable in program.variables.values()]
    for definition in program.definitions.values():
        if definition.tree is not None:
            indices = f"[{','.join(definition.indices)}]" if definition.indices else ""
            lines.append(f"{definition.name}{indices} = {to_text(definition.tree)}")
    return lines


def left_text(left: Left | Tree) -> str:
    """Return the left side of a line.

    Examples
    --------
    >>> left_text(Left("L", "W", ("i", None))), left_text(Left("z"))
    ('dL/dW[i,:]', 'z')
    """
    if not isinstance(left, Left):
        return to_text(left)
    positions = [":" if p is None else p for p in left.positions]
    after = f"[{','.join(positions)}]" if positions else ""
    if left.variable is None:
        return f"{left.name}{after}"
    if left.order in {"hessian", "hvp"}:
        direction = " v" if left.order == "hvp" else ""
        return f"d2{left.name}/d{left.variable}2{direction}{after}"
    return f"d{left.name}/d{left.variable}{after}"


def closing_lines(derivation: Derivation) -> list[Line]:
    """Return the closed forms, each followed by what the names in it mean."""
    forward = {line.left.name: line for line in derivation.forward if isinstance(line.left, Left)}
    lines: list[Line] = []
    explained: dict[str, None] = {}
    for derivative in derivation.derivatives:
        lines.append(Line(left_of(derivative), (derivative.form.tree,), "", value_of(derivation, derivative)))
        explained.update(dict.fromkeys(derivative.where))
    return lines + [Line(forward[name].left, forward[name].rights, "where") for name in explained]


def left_of(derivative: Derivative) -> Left:
    """Return the left side of the closed form of ``derivative``."""
    return Left(derivative.target, derivative.variable, derivative.form.positions, derivative.order.value)


def value_of(derivation: Derivation, derivative: Derivative) -> object:
    """Return the value of ``derivative`` at the point of ``derivation``, or None."""
    if derivation.point is None:
        return None
    from gradus.derive.evaluation import Evaluator

    evaluator = Evaluator(derivation.differentiated.prepared.program, derivation.point)
    return evaluator.entries(derivative.expression, derivative.axes)


def _equation(left: str, rights: list[str], value: object) -> str:
    numbers = [] if value is None else [shown(value)]
    return " = ".join([left, *rights, *numbers])


def _table(lines: tuple[Line, ...]) -> list[str]:
    equations = [_equation(left_text(line.left), [to_text(r) for r in line.rights], line.value) for line in lines]
    width = min(max(map(len, equations), default=0), 64)
    rows = []
    for line, equation in zip(lines, equations, strict=True):
        if line.remark == "where":
            rows.append(f"  where {equation}")
        else:
            rows.append(f"{equation.ljust(width)}   ({line.remark})" if line.remark else equation)
    return rows
