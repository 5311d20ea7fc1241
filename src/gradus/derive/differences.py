"""The last check of a derivative, by differences of the target as it was written."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from gradus.derive.errors import RewriteError
from gradus.derive.evaluation import Evaluator
from gradus.derive.points import Point

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradus.derive.derivative import Derivative
    from gradus.derive.program import Program
    from gradus.derive.rewriting import Rewriter

STEPS = (1e-3, 1e-4, 1e-5)
TOLERANCE = 1e-6
_WEIGHTS = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))


def differences(
    program: Program, point: Point, target: str, variable: str, *, step: float = STEPS[0]
) -> NDArray[np.float64]:
    """Return the derivative by central differences of fourth order; shape: that of the target, then the variable.

    Cost: four evaluations of the target for each entry of the variable.
    """
    base = point.values[variable]
    found = np.empty((*np.shape(Evaluator(program, point).array(target)), base.size))
    for place in range(base.size):
        total: NDArray[np.float64] | float = 0.0
        for steps, weight in _WEIGHTS:
            moved = np.array(base, dtype=np.float64)
            moved.flat[place] += steps * step
            evaluator = Evaluator(program, Point(point.sizes, {**point.values, variable: moved}))
            total = total + weight * evaluator.array(target)
        found[..., place] = np.asarray(total) / step
    return found.reshape((*found.shape[:-1], *base.shape))


def verify_by_differences(rewriter: Rewriter, target: str, derivative: Derivative) -> None:
    """Compare ``derivative`` with differences at the points of ``rewriter``; a point next to a kink may disagree,
    and where the target bends sharply only small steps agree.

    Raises
    ------
    RewriteError : no point agrees
    """
    if derivative.variable not in rewriter.program.variables:
        return
    worst = 0.0
    for evaluator, step in itertools.product(rewriter.evaluators, STEPS):
        expected = differences(evaluator.program, evaluator.point, target, derivative.variable, step=step)
        found = evaluator.entries(derivative.expression, derivative.axes)
        scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
        error = float(np.abs(found - expected).max(initial=0.0)) / scale
        if error <= TOLERANCE:
            return
        worst = max(worst, error)
    raise RewriteError(
        f"d{derivative.target}/d{derivative.variable} differs from differences by {worst:.1e}: please report it"
    )
