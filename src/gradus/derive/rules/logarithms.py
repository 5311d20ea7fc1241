"""log(a/b) = log a - log b, log exp z = z, log softmax(z) = z - logsumexp(z): only where everything is positive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.derive import algebra
from gradus.derive.binding import applied
from gradus.derive.index_form import Apply, Entry, Expression, Extent, Function, Mask, Multiply, Number, Power, Sum

if TYPE_CHECKING:
    from gradus.derive.facts import Facts


def of_logarithm(node: Expression, facts: Facts) -> Expression | None:
    """Rewrite a logarithm of what has a simpler one; definitions are looked through."""
    if not isinstance(node, Function) or node.name not in {"log", "log1p"}:
        return None
    argument = node.arguments[0]
    if node.name == "log1p":
        if isinstance(argument, Function) and argument.name == "exp":
            return algebra.function("softplus", argument.arguments[0])
        return None
    found = _logarithm(argument, facts)
    if found is None and isinstance(argument, Entry):
        body = facts.body_of(argument)
        found = None if body is None else _logarithm(body, facts)
    return found


def _logarithm(argument: Expression, facts: Facts) -> Expression | None:
    match argument:
        case Multiply(factors=factors) if not any(isinstance(f, Mask) for f in factors):
            if all(map(facts.positive, factors)) and not _is_mean(factors):
                return algebra.add(*(algebra.function("log", factor) for factor in factors))
        case Power(base=base, exponent=exponent) if facts.positive(base) and not isinstance(base, Number):
            return algebra.multiply(exponent, algebra.function("log", base))
        case Function(name="exp", arguments=(inner,)):
            return inner
        case Function(name="sigmoid", arguments=(inner,)):
            return algebra.multiply(
                algebra.MINUS_ONE, algebra.function("softplus", algebra.multiply(algebra.MINUS_ONE, inner))
            )
        case Apply(name="softmax", arguments=(array,), at=at):
            return algebra.subtract(applied(array, at), Apply("logsumexp", (array,), ()))
        case Apply(name="det", arguments=(matrix,)) if facts.definite(matrix):
            return Apply("logdet", (matrix,), ())
    return _of_one_and(argument, facts)


def _is_mean(factors: tuple[Expression, ...]) -> bool:
    """Tell whether a product is a sum over sizes, whose logarithm reads better in one."""
    sums = [f for f in factors if isinstance(f, Sum)]
    others = [f.base if isinstance(f, Power) else f for f in factors if not isinstance(f, Sum)]
    return len(sums) == 1 and all(isinstance(f, (Extent, Number)) for f in others)


def _of_one_and(argument: Expression, facts: Facts) -> Expression | None:
    """log(1 + exp z) = softplus(z), log(1 - sigmoid(z)) = -softplus(z)."""
    rest = algebra.subtract(argument, algebra.ONE)
    coefficient, inner = algebra.split(rest)
    through = facts.body_of(inner) or inner
    if coefficient == 1 and isinstance(through, Function) and through.name == "exp":
        return algebra.function("softplus", through.arguments[0])
    if coefficient == -1 and isinstance(through, Function) and through.name == "sigmoid":
        return algebra.multiply(algebra.MINUS_ONE, algebra.function("softplus", through.arguments[0]))
    return None
