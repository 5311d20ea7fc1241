"""The formula table: how long each takes, how far it is from autograd, whether the textbook's form comes out."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.measure import Findings, Table, Target, median
from gradus.derive import Evaluator, derive, draw_point

if TYPE_CHECKING:
    from gradus.derive import Derivation

POINTS, REPEATS = 20, 3
LONGEST_SECONDS, LARGEST_ERROR, SHARE = 1.0, 1e-9, 0.9


def run() -> Findings:
    """Derive every formula of the test suite's table."""
    rows = [_row(formula) for formula in _formulas()]
    seconds = [row[3] / 1e3 for row in rows]
    errors = [row[4] for row in rows]
    share = sum(row[1] == row[2] for row in rows) / len(rows)
    return Findings(
        title="Derivations",
        conditions=(
            f"Every formula of `tests/derive/formulas.py`, {len(rows)} of them, in all variables of its row.",
            "Milliseconds of processor time of a whole derivation, checks included, without starting Python: the "
            f"median of {REPEATS} after one that is not counted.",
            f"Largest difference from torch's autograd in float64 at {POINTS} random points of the declared domain, "
            "relative to the largest entry of the gradient or to 1.",
            "A form counts as the textbook's where its text equals the one in the table: the textbook's equation in "
            "this notation, and where several orders of terms or factorings are common, the one that gradus prints.",
        ),
        tables=(
            Table("Formulas", ("formula", "gradients", "in the textbook's form", "ms", "largest error", "form"), rows),
        ),
        targets=(
            Target("every formula in less than 1 s", max(seconds), max(seconds) < LONGEST_SECONDS),
            Target("agrees with autograd to 1e-9", max(errors), max(errors) < LARGEST_ERROR),
            Target("at least 9 of 10 in the textbook's form", share, share >= SHARE),
        ),
        packages=("numpy", "torch"),
    )


def _formulas() -> Any:
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from derive.formulas import FORMULAS

    return FORMULAS


def _row(formula: Any) -> list[Any]:
    wanted = [label.partition("[")[0] for label in formula.gradients]
    derivation = derive(formula.text, wanted)
    seconds = []
    for _ in range(REPEATS):
        begun = time.process_time()
        derive(formula.text, wanted)
        seconds.append(time.process_time() - begun)
    equal = sum(derivation.equations.get(label) == text for label, text in formula.gradients.items())
    forms = {"matrix" if d.form.in_matrix_form else "index" for d in derivation.derivatives}
    error = max(_error(formula, derivation, seed) for seed in range(POINTS))
    kind = " and ".join(sorted(forms))
    return [formula.name, len(wanted), equal, median(seconds) * 1e3, error, kind]


def _error(formula: Any, derivation: Derivation, seed: int) -> float:
    point = draw_point(derivation.program, np.random.default_rng([seed, 7]))
    values = {name: torch.tensor(value, requires_grad=True) for name, value in point.values.items()}
    wanted = [values[d.variable] for d in derivation.derivatives]
    gradients = torch.autograd.grad(formula.torch(**values), wanted)
    evaluator = Evaluator(derivation.differentiated.prepared.program, point)
    worst = 0.0
    for derivative, gradient in zip(derivation.derivatives, gradients, strict=True):
        found = evaluator.entries(derivative.expression, derivative.axes)
        scale = max(1.0, float(gradient.abs().max()))
        worst = max(worst, float(np.abs(found - gradient.numpy()).max()) / scale)
    return worst
