"""Reverse accumulation: from the target back through the definitions to the variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.derive import algebra
from gradus.derive.index_form import Entry, Expression, Index
from gradus.derive.naming import dependencies
from gradus.derive.pullbacks import Flow, leaves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradus.derive.program import Program
    from gradus.derive.rewriting import Rewriter


@dataclass(frozen=True, slots=True)
class Adjoint:
    """The derivative of the target in an array: ``value`` for every value of the target's axes and of ``axes``.

    Attributes
    ----------
    through : the names of the definitions that the target reaches the array by
    """

    name: str
    axes: tuple[Index, ...]
    value: Expression
    through: tuple[str, ...]


def adjoints(rewriter: Rewriter, program: Program, target: str, wanted: Sequence[str]) -> dict[str, Adjoint]:
    """Return the derivative of ``target`` in each of ``wanted`` and in what lies between, in the order of computation.

    The axes of the target stay free, so that a target that is no scalar gives a Jacobian. Cost: each definition is
    followed once.
    """
    outside = program.definitions[target].axes
    path = _between(program, target, wanted)
    gathered: dict[str, list[Expression]] = {name: [] for name in path}
    through: dict[str, dict[str, None]] = {name: {} for name in path}
    result: dict[str, Adjoint] = {}
    for name in reversed([name for name in program.definitions if name in path]):
        upstream: Expression = algebra.ONE
        if name != target:
            result[name] = _settled(rewriter, program, name, gathered[name], through[name])
            upstream = result[name].value
        for array, part in partials(rewriter, program, name, upstream, is_target=name == target).items():
            if array in path:
                gathered[array].append(part)
                through[array][name] = None
    for name in wanted:
        if name not in result:
            result[name] = _settled(rewriter, program, name, gathered.get(name, []), through.get(name, {}))
    assert all(axis not in adjoint.axes for adjoint in result.values() for axis in outside)
    return result


def partials(
    rewriter: Rewriter, program: Program, name: str, upstream: Expression, *, is_target: bool
) -> dict[str, Expression]:
    """Return what flows from the definition ``name`` to each array in its body.

    From a scalar it is the upstream times the partial derivative, which is written as one factor.
    """
    definition = program.definitions[name]
    scalar = not definition.axes and not is_target
    axes = () if is_target or scalar else axes_of(program, name)
    body = definition.body if not axes else definition.entry(axes)
    gathered: dict[str, list[Expression]] = {}
    for leaf in leaves(Flow(body, algebra.ONE if scalar else upstream, axes)):
        assert isinstance(leaf.node, Entry)
        gathered.setdefault(leaf.node.array, []).append(contribution(program, leaf))
    sums = {array: algebra.add(*parts) for array, parts in gathered.items()}
    if not scalar:
        return sums
    return {array: algebra.multiply(upstream, rewriter.neatest(part)) for array, part in sums.items()}


def axes_of(program: Program, name: str) -> tuple[Index, ...]:
    """Return the axes that the derivative in ``name`` has."""
    return tuple(Index(f"@{name}{place}", size) for place, size in enumerate(program.shape(name)))


def contribution(program: Program, leaf: Flow) -> Expression:
    """Return what arrives at an entry of an array, summed, as a function of that array's axes."""
    assert isinstance(leaf.node, Entry)
    axes = axes_of(program, leaf.node.array)
    deltas = (algebra.mask("=", position, axis) for position, axis in zip(leaf.node.at, axes, strict=True))
    return algebra.sum_over(leaf.scope, algebra.multiply(leaf.upstream, *deltas))


def _settled(
    rewriter: Rewriter, program: Program, name: str, contributions: list[Expression], through: dict[str, None]
) -> Adjoint:
    value = rewriter.neatest(algebra.add(*contributions))
    return Adjoint(name, axes_of(program, name), value, tuple(through))


def _between(program: Program, target: str, wanted: Sequence[str]) -> set[str]:
    """Return the arrays on a way from ``target`` to one of ``wanted``."""
    goals = set(wanted)
    return {name for name in dependencies(program, target) if goals & dependencies(program, name)}
