"""Everything before the derivative is taken: parts named, definitions simplified, points drawn to check at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradus.core.errors import InputError
from gradus.derive.evaluation import Evaluator
from gradus.derive.naming import Namer, dependencies
from gradus.derive.points import draw_point
from gradus.derive.program import Definition, Program
from gradus.derive.rewriting import Rewriter
from gradus.derive.rules import SILENT

if TYPE_CHECKING:
    from collections.abc import Sequence

CHECK_POINTS = 2
MOST_DRAWS = 60
CHANGING = frozenset({"simplex", "joint", "symmetric", "spd", "orthogonal", "hollow"})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A program ready to be differentiated.

    Attributes
    ----------
    program : with the parts of every definition named, and simplified
    rewriter : simplifies expressions of it
    rules : for each definition, the rules that simplified it
    """

    program: Program
    rewriter: Rewriter
    rules: dict[str, tuple[str, ...]]


def prepared(program: Program, target: str, wanted: Sequence[str]) -> Prepared:
    """Name, simplify and draw points; equations declared of ``wanted`` variables wait for the derivative.

    Raises
    ------
    InputError : ``target`` has no finite value at any point of the declared domains
    """
    named = Namer(Program(program.variables, dict(program.definitions))).named_program()
    simplified = Program(named.variables, {})
    rewriter = Rewriter(simplified, evaluators_for(named, target))
    rewriter.facts.frozen = frozenset(name for name in wanted if program.has(name, *CHANGING))
    rules: dict[str, tuple[str, ...]] = {}
    for name, definition in named.definitions.items():
        rewriter.allow_definitions(simplified.definitions)
        rewriter.applied.clear()
        before = set(rewriter.facts.used)
        body = rewriter.simplified(definition.body)
        facts = [f"used: {fact}" for fact in rewriter.facts.used if fact not in before]
        rules[name] = tuple(rule for rule in rewriter.applied if rule not in SILENT) + tuple(facts)
        simplified.definitions[name] = Definition(name, definition.axes, body, definition.tree, definition.indices)
    rewriter.allow_everything()
    return Prepared(simplified, rewriter, rules)


def evaluators_for(program: Program, target: str) -> list[Evaluator]:
    """Return evaluators at points where ``target`` is finite.

    Raises
    ------
    InputError : there is none among 60 points drawn from the declared domains
    """
    needed = dependencies(program, target)
    found: list[Evaluator] = []
    for seed in range(MOST_DRAWS):
        evaluator = Evaluator(program, draw_point(program, np.random.default_rng(seed)))
        with np.errstate(all="ignore"):
            try:
                finite = all(np.isfinite(evaluator.array(name)).all() for name in needed if name in program.definitions)
            except np.linalg.LinAlgError:
                finite = False
        if finite or (seed > MOST_DRAWS // 2 and _finite(evaluator, target)):
            found.append(evaluator)
        if len(found) == CHECK_POINTS:
            return found
    if found:
        return found
    raise InputError(
        f"{target} is no finite number at any of {MOST_DRAWS} points drawn from the declared domains, "
        "expected a value at most points: declare what must be positive, as x: positive vec(D)"
    )


def _finite(evaluator: Evaluator, target: str) -> bool:
    return bool(np.isfinite(evaluator.array(target)).all())
