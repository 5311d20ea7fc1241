"""The worked derivation: one line for each thing a person would write down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradus.derive import algebra
from gradus.derive.closed_form import neat, written
from gradus.derive.errors import RewriteError
from gradus.derive.evaluation import Evaluator
from gradus.derive.index_form import Apply, Entry, Function, Power, arrays, parts
from gradus.derive.naming import dependencies
from gradus.derive.program import Definition, Program
from gradus.derive.reverse import partials
from gradus.derive.rewriting import Rewriter
from gradus.derive.text import to_text

if TYPE_CHECKING:
    from gradus.derive.derivative import Differentiated
    from gradus.derive.index_form import Expression, Index
    from gradus.derive.points import Point
    from gradus.derive.reverse import Adjoint
    from gradus.derive.tree import Tree


@dataclass(frozen=True, slots=True)
class Left:
    """The left side of a line: ``name``, or the derivative of ``name`` in ``variable``; then indices or None."""

    name: str
    variable: str | None = None
    positions: tuple[str | None, ...] = ()
    order: str = "gradient"


@dataclass(frozen=True, slots=True)
class Line:
    """``left = rights[0] = rights[1] = ...``, with a remark, and a value where a point was given."""

    left: Left | Tree
    rights: tuple[Tree, ...]
    remark: str = ""
    value: Any = None


PRIMITIVES = {
    "exp": "exp' = exp",
    "log": "log' x = 1/x",
    "log1p": "log1p' x = 1/(1 + x)",
    "tanh": "tanh' = 1 - tanh^2",
    "sigmoid": "sigmoid' = sigmoid*(1 - sigmoid)",
    "softplus": "softplus' = sigmoid",
    "relu": "relu' = step",
    "abs": "abs' = sign",
    "sin": "sin' = cos",
    "cos": "cos' = -sin",
    "erf": "erf' x = 2 exp(-x^2)/sqrt(pi)",
    "huber": "huber'(x, d) = clip(x, -d, d)",
    "softmax": "upstream u of softmax: p*(u - p.T @ u)",
    "logsumexp": "logsumexp' = softmax",
    "max": "max' = argmax",
    "inv": "d inv(A) = -inv(A) dA inv(A)",
    "logdet": "logdet' A = inv(A).T",
    "det": "det' A = det(A) inv(A).T",
    "conv2d": "conv2d is linear in both",
    "/": "quotient rule",
}


def forward_lines(found: Differentiated, written_names: set[str], point: Point | None) -> list[Line]:
    """Return a line for every definition on the way to the target, as simplified, with values at ``point``.

    ``written_names`` are the definitions that the person wrote and that the target depends on.
    """
    ready = found.prepared
    program, rewriter = ready.program, ready.rewriter
    needed = dependencies(program, found.target) | written_names
    values = Evaluator(program, point) if point is not None else None
    lines: list[Line] = []
    for definition in program.definitions.values():
        if definition.name not in needed:
            continue
        lines.extend(_function_values(rewriter, definition, values, lines))
        form = written(rewriter, definition.body, definition.axes, indices=definition.indices)
        value = None if values is None else values.array(definition.name)
        remark = "; ".join(ready.rules[definition.name])
        lines.append(Line(Left(definition.name, None, form.positions), (form.tree,), remark, value))
    return lines


def _function_values(
    rewriter: Rewriter, definition: Definition, values: Evaluator | None, known: list[Line]
) -> list[Line]:
    """Return the values of functions of scalars in ``definition``, which a person computes first."""
    if values is None or definition.axes:
        return []
    found: list[Line] = []
    for node in _scalar_functions(definition.body):
        tree = written(rewriter, node, ()).tree
        if all(line.left != tree for line in (*known, *found)):
            found.append(Line(tree, (), "", values.entries(node, ())))
    return found


def _scalar_functions(expression: Expression) -> list[Expression]:
    inner = [node for part in parts(expression) for node in _scalar_functions(part)]
    own = isinstance(expression, Function) and bool(expression.arguments) and expression.height == 0
    return [*inner, expression] if own and not expression.free else inner


def backward_lines(found: Differentiated, point: Point | None) -> list[Line]:
    """Return a line for the derivative in every name between the target and the variables, from the target back."""
    program = found.prepared.program
    extended = _with_adjoints(found)
    rewriter = Rewriter(extended, [Evaluator(extended, e.point) for e in found.prepared.rewriter.evaluators])
    values = Evaluator(extended, point) if point is not None else None
    lines = []
    names = [d for d in program.definitions.values() if not d.automatic and d.name != found.target]
    for name, adjoint in found.adjoints.items():
        label = _label(found.target, name)
        chain = _chain_rule(found, extended, name)
        trees: list[Tree] = []
        positions: tuple[str | None, ...] = ()
        axes = (*program.definitions[found.target].axes, *adjoint.axes)
        for expression in dict.fromkeys((rewriter.neatest(chain), neat(rewriter, adjoint.value, names))):
            form = _written_or_none(rewriter, expression, axes)
            if form is not None and (not trees or form.positions == positions):
                trees.append(form.tree)
                positions = form.positions
        if trees:
            left = Left(found.target, name, positions)
            value = None if values is None else values.array(label)
            remark = _primitives(program, adjoint)
            distinct = dict.fromkeys(to_text(tree) for tree in trees)
            rights = tuple(tree for text in distinct for tree in [next(t for t in trees if to_text(t) == text)])
            lines.append(Line(left, rights, remark, value))
    return lines


def _written_or_none(rewriter: Rewriter, expression: Expression, axes: tuple[Index, ...]) -> Any:
    try:
        return written(rewriter, expression, axes)
    except RewriteError:
        return None


def _label(target: str, name: str) -> str:
    return f"d{target}/d{name}"


def _with_adjoints(found: Differentiated) -> Program:
    """Return the program with the derivatives as definitions, so that a line can mention those before it."""
    program = found.prepared.program
    outside = program.definitions[found.target].axes
    more = [
        Definition(_label(found.target, name), (*outside, *adjoint.axes), adjoint.value)
        for name, adjoint in found.adjoints.items()
    ]
    return program.with_definitions(*more)


def _chain_rule(found: Differentiated, extended: Program, name: str) -> Expression:
    """Return the derivative in ``name`` in terms of those in what is computed from it."""
    program, target = found.prepared.program, found.target
    outside = program.definitions[target].axes
    terms = []
    for consumer in found.adjoints[name].through:
        upstream: Expression = algebra.ONE
        if consumer != target:
            upstream = Entry(_label(target, consumer), (*outside, *found.adjoints[consumer].axes))
        flows = partials(found.prepared.rewriter, program, consumer, upstream, is_target=consumer == target)
        terms.append(flows[name])
    return algebra.add(*terms)


def _primitives(program: Program, adjoint: Adjoint) -> str:
    """Return the rules of differentiation that lead from what is computed from the array to the array."""
    found: dict[str, None] = {}
    for consumer in adjoint.through:
        found.update(dict.fromkeys(_used(program.definitions[consumer].body, adjoint.name)))
    return "; ".join(found)


def _used(expression: Expression, name: str) -> list[str]:
    if name not in arrays(expression):
        return []
    own = []
    if isinstance(expression, (Function, Apply)) and expression.name in PRIMITIVES:
        own = [PRIMITIVES[expression.name]]
    elif isinstance(expression, Power) and not expression.free and expression.exponent.key == "-1":
        own = [PRIMITIVES["/"]]
    return own + [text for part in parts(expression) for text in _used(part, name)]
