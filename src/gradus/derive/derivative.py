"""The derivative of a target in a variable: gradient, Jacobian, pullback, Hessian, or Hessian times a direction."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from gradus.core.errors import InputError, did_you_mean
from gradus.derive import algebra
from gradus.derive.closed_form import neat, without_names, written
from gradus.derive.declarations import Variable
from gradus.derive.differences import verify_by_differences
from gradus.derive.folding import unfolded
from gradus.derive.index_form import Entry, Index
from gradus.derive.naming import dependencies
from gradus.derive.preparing import Prepared, prepared
from gradus.derive.program import Definition, Program
from gradus.derive.reverse import adjoints
from gradus.derive.text import to_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradus.derive.closed_form import ClosedForm
    from gradus.derive.index_form import Expression
    from gradus.derive.reverse import Adjoint

LONGEST_INLINE = 96


class Order(Enum):
    """What is asked for."""

    GRADIENT = "gradient"
    JACOBIAN = "jacobian"
    PULLBACK = "pullback"
    HESSIAN = "hessian"
    HESSIAN_PRODUCT = "hvp"


@dataclass(frozen=True, slots=True)
class Derivative:
    """A closed form with what it needs to be read.

    Attributes
    ----------
    target, variable : of what, and in what
    expression, axes : the derivative in index form; for a Jacobian the axes of the target come first
    form : how it is written
    where : names in ``form`` that gradus introduced, in order
    """

    target: str
    variable: str
    order: Order
    expression: Expression
    axes: tuple[Index, ...]
    form: ClosedForm
    where: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Differentiated:
    """A program, the derivatives in it, and the adjoints on the way."""

    prepared: Prepared
    target: str
    derivatives: tuple[Derivative, ...]
    adjoints: dict[str, Adjoint]


def differentiate(program: Program, target: str, wanted: Sequence[str], order: Order) -> Differentiated:
    """Differentiate ``target`` in each of ``wanted``.

    Raises
    ------
    InputError : a name is not known, or the target has the wrong shape for ``order``
    RewriteError : a check failed
    """
    _check_names(program, target, wanted)
    _check_order(program, target, order)
    if order in {Order.HESSIAN, Order.HESSIAN_PRODUCT}:
        if len(wanted) != 1:
            raise InputError(f"{order.value} is taken in one variable, {len(wanted)} were given: name one with --wrt")
        program, inner = _with_gradient(program, target, wanted[0], order)
    elif order is Order.PULLBACK:
        program, inner = _with_upstream(program, target)
    else:
        inner = target
    ready = prepared(program, inner, wanted)
    found = adjoints(ready.rewriter, ready.program, inner, wanted)
    derivatives = tuple(_derivative(ready, found[name], (target, inner), order) for name in wanted)
    for derivative in derivatives:
        verify_by_differences(ready.rewriter, inner, derivative)
    return Differentiated(ready, inner, derivatives, found)


def _derivative(ready: Prepared, adjoint: Adjoint, targets: tuple[str, str], order: Order) -> Derivative:
    target, inner = targets
    program, rewriter = ready.program, ready.rewriter
    axes = (*program.definitions[inner].axes, *adjoint.axes)
    names = _names_for_folding(program, inner)
    expression = neat(rewriter, without_names(adjoint.value, program), names)
    square = order in {Order.JACOBIAN, Order.HESSIAN}
    form = written(rewriter, expression, axes, multiply_out=square)
    where: tuple[str, ...] = ()
    if rewriter.scalars_only or len(to_text(form.tree)) > LONGEST_INLINE:
        kept = neat(rewriter, adjoint.value, [d for d in program.definitions.values() if d.name != inner])
        named = written(rewriter, kept, axes, multiply_out=square)
        automatic = [d.name for d in program.definitions.values() if d.automatic]
        if len(to_text(named.tree)) < len(to_text(form.tree)):
            expression, form = kept, named
            mentioned = _mentioned(kept, program)
            where = tuple(name for name in automatic if name in mentioned)
    return Derivative(target, adjoint.name, order, expression, axes, form, where)


def _mentioned(expression: Expression, program: Program) -> set[str]:
    """Return the names that gradus introduced and that are needed to read ``expression``."""
    from gradus.derive.index_form import arrays

    found: set[str] = set()
    stack = list(arrays(expression))
    while stack:
        name = stack.pop()
        if name in program.definitions and program.definitions[name].automatic and name not in found:
            found.add(name)
            stack.extend(arrays(program.definitions[name].body))
    return found


def _names_for_folding(program: Program, target: str) -> list[Definition]:
    """Return the person's definitions in terms of each other; a target of scalars stays out of its derivative."""
    automatic = {name: d for name, d in program.definitions.items() if d.automatic}
    scalars = not any(variable.shape for variable in program.variables.values())
    return [
        Definition(d.name, d.axes, unfolded(d.body, automatic), d.tree, d.indices)
        for d in program.definitions.values()
        if not d.automatic and not (scalars and d.name == target)
    ]


def _check_names(program: Program, target: str, wanted: Sequence[str]) -> None:
    if target not in program.definitions:
        advice = did_you_mean(target, program.definitions)
        raise InputError(f"{target!r} is no formula here{advice}, expected one of {', '.join(program.definitions)}")
    if not wanted:
        raise InputError(f"{target} depends on no variable, expected one to take the derivative in")
    for name in wanted:
        if name not in program.variables and name not in program.definitions:
            known = [*program.variables, *program.definitions]
            raise InputError(
                f"--wrt {name}: there is no such variable{did_you_mean(name, known)}, "
                f"expected one of {', '.join(known)}"
            )
        if name not in dependencies(program, target) or name == target:
            raise InputError(f"{target} does not depend on {name}, so its derivative is zero everywhere")


def _check_order(program: Program, target: str, order: Order) -> None:
    shape = program.shape(target)
    if shape and order in {Order.GRADIENT, Order.HESSIAN, Order.HESSIAN_PRODUCT}:
        raise InputError(
            f"{target} has the shape ({', '.join(map(str, shape))}), a {order.value} needs a scalar: "
            "ask for --order jacobian, or for --order pullback with an upstream gradient"
        )


def new_name(program: Program, wanted: str) -> str:
    """Return ``wanted``, or with underscores behind it where that is taken."""
    while wanted in program.variables or wanted in program.definitions or wanted in program.sizes:
        wanted += "_"
    return wanted


def _with_upstream(program: Program, target: str) -> tuple[Program, str]:
    """Add the product of the target with an upstream gradient."""
    upstream, total = new_name(program, f"{target}bar"), new_name(program, "pulled")
    axes = program.definitions[target].axes
    variables = {**program.variables, upstream: Variable(upstream, program.shape(target))}
    body = algebra.sum_over(axes, algebra.multiply(Entry(upstream, axes), Entry(target, axes)))
    extended = Program(variables, dict(program.definitions))
    return extended.with_definitions(Definition(total, (), body)), total


def _with_gradient(program: Program, target: str, variable: str, order: Order) -> tuple[Program, str]:
    """Add the gradient, or its product with a direction."""
    ready = prepared(program, target, [variable])
    ready.rewriter.facts.frozen = frozenset([variable])
    adjoint = adjoints(ready.rewriter, ready.program, target, [variable])[variable]
    value = without_names(adjoint.value, ready.program)
    if order is Order.HESSIAN:
        name = new_name(program, "gradient")
        axes = tuple(Index(f"@g{place}", axis.size) for place, axis in enumerate(adjoint.axes))
        moved = Definition(name, adjoint.axes, value).entry(axes)
        return program.with_definitions(Definition(name, axes, moved)), name
    direction, name = new_name(program, "v"), new_name(program, "slope")
    variables = {**program.variables, direction: Variable(direction, program.shape(variable))}
    slope = algebra.sum_over(adjoint.axes, algebra.multiply(value, Entry(direction, adjoint.axes)))
    return Program(variables, dict(program.definitions)).with_definitions(Definition(name, (), slope)), name
