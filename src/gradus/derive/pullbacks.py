"""The chain rule as a table: one line for each primitive, from the upstream of a node to those of its arguments.

Everything is linear in the upstream, and an upstream is an expression in the indices in scope, so sums over these close
at the end. Nothing has a zero by default: a function that is not in the table is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.derive import algebra
from gradus.derive.algebra import MINUS_ONE, ONE, TWO, add, divide, function, multiply, power, subtract
from gradus.derive.binding import applied, array_of, opened
from gradus.derive.index_form import (
    Add,
    Apply,
    Entry,
    Expression,
    Extent,
    Function,
    Index,
    Lambda,
    Mask,
    Multiply,
    Number,
    Power,
    Sum,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradus.derive.index_form import Position

PI = Function("pi", ())


def _between(x: Expression, low: Expression, high: Expression) -> Expression:
    return multiply(function("step", subtract(x, low)), function("step", subtract(high, x)))


# function -> the partial derivative in each argument
PARTIALS: dict[str, Callable[..., tuple[Expression, ...]]] = {
    "exp": lambda x: (function("exp", x),),
    "log": lambda x: (power(x, MINUS_ONE),),
    "log1p": lambda x: (power(add(ONE, x), MINUS_ONE),),
    "tanh": lambda x: (subtract(ONE, power(function("tanh", x), TWO)),),
    "sigmoid": lambda x: (multiply(function("sigmoid", x), subtract(ONE, function("sigmoid", x))),),
    "softplus": lambda x: (function("sigmoid", x),),
    "relu": lambda x: (function("step", x),),
    "abs": lambda x: (function("sign", x),),
    "sin": lambda x: (function("cos", x),),
    "cos": lambda x: (multiply(MINUS_ONE, function("sin", x)),),
    "erf": lambda x: (
        divide(multiply(TWO, function("exp", multiply(MINUS_ONE, power(x, TWO)))), function("sqrt", PI)),
    ),
    "huber": lambda x, d: (
        function("clip", x, multiply(MINUS_ONE, d), d),
        multiply(function("step", subtract(function("abs", x), d)), subtract(function("abs", x), d)),
    ),
    "clip": lambda x, low, high: (
        _between(x, low, high),
        function("step", subtract(low, x)),
        function("step", subtract(x, high)),
    ),
    "maximum": lambda a, b: (function("step", subtract(a, b)), subtract(ONE, function("step", subtract(a, b)))),
    "minimum": lambda a, b: (function("step", subtract(b, a)), subtract(ONE, function("step", subtract(b, a)))),
    "sign": lambda x: (algebra.ZERO,),
    "step": lambda x: (algebra.ZERO,),
    "pi": lambda: (),
}


@dataclass(frozen=True, slots=True)
class Flow:
    """An upstream arriving at ``node``, to be summed over the indices in ``scope``."""

    node: Expression
    upstream: Expression
    scope: tuple[Index, ...]

    def to(self, node: Expression, factor: Expression, *more: Index) -> Flow:
        """Return the flow on to an argument whose partial derivative is ``factor``."""
        return Flow(node, multiply(self.upstream, factor), (*self.scope, *more))


def leaves(flow: Flow) -> Iterator[Flow]:
    """Follow an upstream down to every entry of an array that it reaches."""
    if isinstance(flow.node, Entry):
        yield flow
    elif flow.upstream != algebra.ZERO:
        for further in _step(flow):
            yield from leaves(further)


def _step(flow: Flow) -> Iterator[Flow]:
    match flow.node:
        case Number() | Extent() | Mask():
            return
        case Add(terms=terms):
            yield from (flow.to(term, ONE) for term in terms)
        case Multiply(factors=factors):
            for place, factor in enumerate(factors):
                yield flow.to(factor, multiply(*factors[:place], *factors[place + 1 :]))
        case Power(base=base, exponent=exponent):
            yield flow.to(base, multiply(exponent, power(base, subtract(exponent, ONE))))
            if not isinstance(exponent, Number):
                yield flow.to(exponent, multiply(power(base, exponent), function("log", base)))
        case Function(name=name, arguments=arguments):
            yield from (flow.to(a, p) for a, p in zip(arguments, PARTIALS[name](*arguments), strict=True))
        case Sum() as total:
            indices, body = opened(total)
            yield flow.to(body, ONE, *indices)
        case Apply() as node:
            yield from ARRAY_PULLBACKS[node.name](flow, node)
        case _:
            raise TypeError(f"{type(flow.node).__name__} has no pullback")


def _softmax(flow: Flow, node: Apply) -> Iterator[Flow]:
    (array,), (at,) = node.arguments, node.at
    (index,), body = opened(array)
    yield flow.to(applied(array, (at,)), node)
    yield flow.to(body, multiply(MINUS_ONE, node, Apply("softmax", (array,), (index,))), index)


def _logsumexp(flow: Flow, node: Apply) -> Iterator[Flow]:
    (index,), body = opened(node.arguments[0])
    yield flow.to(body, Apply("softmax", node.arguments, (index,)), index)


def _max(flow: Flow, node: Apply) -> Iterator[Flow]:
    (index,), body = opened(node.arguments[0])
    yield flow.to(body, Apply("argmax", node.arguments, (index,)), index)


def _inverse(matrix: tuple[Lambda, ...], row: Position, column: Position) -> Expression:
    return Apply("inv", matrix, (row, column))


def _inv(flow: Flow, node: Apply) -> Iterator[Flow]:
    (row, column), body = opened(node.arguments[0])
    left = _inverse(node.arguments, node.at[0], row)
    right = _inverse(node.arguments, column, node.at[1])
    yield flow.to(body, multiply(MINUS_ONE, left, right), row, column)


def _logdet(flow: Flow, node: Apply) -> Iterator[Flow]:
    (row, column), body = opened(node.arguments[0])
    yield flow.to(body, _inverse(node.arguments, column, row), row, column)


def _det(flow: Flow, node: Apply) -> Iterator[Flow]:
    (row, column), body = opened(node.arguments[0])
    yield flow.to(body, multiply(node, _inverse(node.arguments, column, row)), row, column)


def _upstream_image(flow: Flow, node: Apply) -> tuple[Lambda, tuple[Index, ...]]:
    """Return the upstream as an image over all positions of ``node``, and the scope that remains."""
    moving = tuple(p for p in node.at if isinstance(p, Index) and p in flow.scope)
    if len(set(moving)) == len(node.at):
        return array_of(moving, flow.upstream), tuple(i for i in flow.scope if i not in moving)
    from gradus.derive.binding import fresh
    from gradus.derive.convolutions import output_sizes

    axes = tuple(fresh(Index("", size)) for size in output_sizes(node))
    deltas = (algebra.mask("=", axis, position) for axis, position in zip(axes, node.at, strict=True))
    return array_of(axes, multiply(flow.upstream, *deltas)), flow.scope


def _convolution(flow: Flow, node: Apply, names: tuple[str, str]) -> Iterator[Flow]:
    """conv2d(x, k): x gets conv2d_transpose(u, k), k gets conv2d(x, u); its transpose: conv2d(u, k), conv2d(u, g)."""
    image, window = node.arguments
    upstream, scope = _upstream_image(flow, node)
    pairs = {
        "conv2d": ((upstream, window), (image, upstream)),
        "conv2d_transpose": ((upstream, window), (upstream, image)),
    }
    for argument, name, pair in zip(node.arguments, names, pairs[node.name], strict=True):
        indices, body = opened(argument)
        yield Flow(body, Apply(name, pair, indices), (*scope, *indices))


def _argmax(flow: Flow, node: Apply) -> Iterator[Flow]:
    """Flat wherever it is continuous."""
    return iter(())


ARRAY_PULLBACKS: dict[str, Callable[[Flow, Apply], Iterator[Flow]]] = {
    "softmax": _softmax,
    "logsumexp": _logsumexp,
    "max": _max,
    "argmax": _argmax,
    "inv": _inv,
    "logdet": _logdet,
    "det": _det,
    "conv2d": lambda flow, node: _convolution(flow, node, ("conv2d_transpose", "conv2d")),
    "conv2d_transpose": lambda flow, node: _convolution(flow, node, ("conv2d", "conv2d")),
}
