"""A sum of which the mean has a name is the size times that name, so that what is centred sums to zero."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from gradus.derive import algebra
from gradus.derive.index_form import Entry, Expression, Extent, Power, Sum

if TYPE_CHECKING:
    from gradus.derive.facts import Facts
    from gradus.derive.program import Definition


def sum_of_named_mean(node: Expression, facts: Facts) -> Expression | None:
    """With m = sum(x)/D, sum(x) = D m."""
    if not isinstance(node, Sum):
        return None
    for definition in facts.program.definitions.values():
        if definition.name not in facts.visible or not _is_mean(definition):
            continue
        free = sorted(node.free)
        for at in itertools.product(*([i for i in free if i.size == axis.size] for axis in definition.axes)):
            body = algebra.split(definition.entry(at))[1]
            factors = algebra.factors_of(body)
            if node in factors:
                rest = (f for f in factors if f != node)
                coefficient = algebra.split(definition.body)[0]
                return algebra.multiply(
                    algebra.number(1 / coefficient),
                    Entry(definition.name, at),
                    *(algebra.power(f, algebra.MINUS_ONE) for f in rest),
                )
    return None


def _is_mean(definition: Definition) -> bool:
    factors = algebra.factors_of(algebra.split(definition.body)[1])
    sums = [f for f in factors if isinstance(f, Sum)]
    sizes = [f for f in factors if isinstance(f, Power) and isinstance(f.base, Extent)]
    linear = len(sums) == 1 and isinstance(sums[0].body, Entry)
    return linear and len(sizes) >= 1 and len(sizes) + 1 == len(factors)
