"""The engine of simplification: applies rules until none applies, and checks the value after every single one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradus.derive import algebra
from gradus.derive.binding import opened, rebuilt
from gradus.derive.errors import RewriteError
from gradus.derive.expanding import expanded
from gradus.derive.factoring import factored
from gradus.derive.facts import Facts
from gradus.derive.index_form import (
    Add,
    Apply,
    Entry,
    Extent,
    Function,
    Lambda,
    Mask,
    Multiply,
    Number,
    Power,
    Sum,
    parts,
)
from gradus.derive.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gradus.derive.evaluation import Evaluator
    from gradus.derive.index_form import Expression
    from gradus.derive.program import Program
    from gradus.derive.rules import Rule

RELATIVE_ERROR = 1e-8
MOST_STEPS = 400
WORTH_MULTIPLYING_OUT = 0.5


class Rewriter:
    """Simplifies expressions of ``program``; ``evaluators`` hold the points at which every rewrite is checked.

    Attributes
    ----------
    facts : what is known, and which declarations were used
    applied : the names of the rules that were applied, in order
    checks : how many rewrites were checked
    """

    def __init__(self, program: Program, evaluators: list[Evaluator]) -> None:
        self.program = program
        self.evaluators = evaluators
        self.facts = Facts(program, self.simplified)
        self.applied: dict[str, None] = {}
        self.checks = 0
        self.scalars_only = not any(variable.shape for variable in program.variables.values())
        self._known: dict[str, Expression] = {}
        self._neat: dict[str, Expression] = {}

    def allow_definitions(self, names: Iterable[str]) -> None:
        """Use only the definitions ``names`` from here on."""
        self.facts.visible = frozenset(names)
        self._known.clear()
        self._neat.clear()

    def allow_everything(self) -> None:
        """Use every declaration and every definition from here on."""
        self.facts = Facts(self.program, self.simplified, self.facts.used)
        self._known.clear()
        self._neat.clear()

    def simplified(self, expression: Expression) -> Expression:
        """Return ``expression`` with every rule applied until none applies; nothing is multiplied out."""
        known = self._known.get(expression.key)
        if known is not None:
            return known
        result = rebuilt(expression, self.simplified)
        for _ in range(MOST_STEPS):
            after = self._step(result)
            if after is None:
                break
            result = rebuilt(after, self.simplified)
        self._known[expression.key] = self._known[result.key] = result
        return result

    def _step(self, node: Expression) -> Expression | None:
        for rule in RULES:
            after = rule.rewrite(node, self.facts)
            if after is not None and after != node and self._holds(rule, node, after):
                self.applied[rule.name] = None
                return after
        return None

    def _holds(self, rule: Rule, before: Expression, after: Expression) -> bool:
        if rule.tentative:
            return self.equal(before, after)
        self.verify(rule.name, before, after)
        return True

    def equal(self, before: Expression, after: Expression) -> bool:
        """Tell whether both have the same value at every point, where ``before`` has one."""
        self.checks += 1
        axes = tuple(sorted(before.free | after.free))
        for evaluator in self.evaluators:
            expected, found = (np.asarray(evaluator.entries(e, axes), dtype=float) for e in (before, after))
            scale = np.maximum(1.0, np.abs(expected))
            with np.errstate(invalid="ignore"):
                wrong = ~(np.abs(found - expected) <= RELATIVE_ERROR * scale) & np.isfinite(expected)
            if wrong.any():
                return False
        return True

    def verify(self, what: str, before: Expression, after: Expression) -> None:
        """Raise if a rewrite changed the value.

        Raises
        ------
        RewriteError : with both expressions
        """
        if not self.equal(before, after):
            raise RewriteError(f"{what} turned {before} into {after}, which has another value: please report it")

    def checked(self, what: str, before: Expression, change: Callable[[Expression], Expression]) -> Expression:
        """Return ``change(before)``, its value checked."""
        after = change(before)
        if after != before:
            self.verify(what, before, after)
        return after

    def neatest(self, expression: Expression) -> Expression:
        """Return the cheapest of ``expression`` as it stands, with common factors out, and multiplied out first.

        Scalars are not factored: a sum of quotients is what the quotient rule gives.
        """
        known = self._neat.get(expression.key)
        if known is None:
            known = self._neat[expression.key] = self._neatest(expression)
        return known

    def _neatest(self, expression: Expression) -> Expression:
        plain = self.simplified(expression)
        open_form = self.simplified(self.checked("multiplying out", plain, expanded))
        if self.scalars_only:
            return open_form if cost(open_form) < cost(plain) - WORTH_MULTIPLYING_OUT else plain
        candidates = [plain] if open_form == plain else [plain, open_form]
        return min((form for start in candidates for form in (start, self.collected(start))), key=cost)

    def collected(self, expression: Expression) -> Expression:
        """Return ``expression`` with common factors taken out, in every sum inside it."""
        if isinstance(expression, (Add, Multiply)):
            expression = rebuilt(expression, self.collected)
        elif isinstance(expression, Sum):
            indices, body = opened(expression)
            expression = algebra.sum_over(indices, self.collected(body))
        if isinstance(expression, Add):
            return self.simplified(self.checked("taking out common factors", expression, factored))
        return expression


def cost(expression: Expression) -> float:
    """Return how much there is to read in ``expression``."""
    match expression:
        case Number(value=value):
            return 0.1 if abs(value) == 1 else 0.5
        case Extent() | Entry():
            return 1.0
        case Mask():
            return 0.7
        case Add(terms=terms):
            return sum(map(cost, terms)) + 0.3 * len(terms)
        case Multiply(factors=factors):
            return sum(map(cost, factors)) + 0.1 * len(factors)
        case Power(base=base, exponent=exponent):
            return cost(base) + cost(exponent) + 0.2
        case Sum(indices=indices, body=body):
            return cost(body) + 0.4 * len(indices)
        case Lambda(body=body):
            return cost(body)
        case Function() | Apply():
            return 1.0 + sum(map(cost, parts(expression)))
    return 1.0
