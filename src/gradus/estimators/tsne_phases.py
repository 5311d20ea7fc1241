"""The plan of a map: how long its affinities are exaggerated, by how much, and at which rate it moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.tsne import Phase, automatic_learning_rate, with_growing_momentum

if TYPE_CHECKING:
    from gradus.estimators.tsne import TSNE

# iterations under one exaggeration while it is annealed
ANNEALING_STEP = 10


def phases_from_start(estimator: TSNE, samples: int) -> list[Phase]:
    """Return the phases of a new map: early exaggeration, annealing, and the rest of ``max_iter``."""
    early = min(estimator.early_exaggeration_iter, estimator.max_iter)
    annealed = min(estimator.annealing_iter, estimator.max_iter - early)
    plan = [(early, float(estimator.early_exaggeration)), *_annealing(estimator, annealed)]
    begun = [_phase(estimator, samples, *step) for step in plan if step[0]]
    return begun + phases_that_continue(estimator, samples, estimator.max_iter - early - annealed)


def phases_that_continue(estimator: TSNE, samples: int, iterations: int) -> list[Phase]:
    """Return the phases of a map that goes on: all under the late exaggeration."""
    last = _phase(estimator, samples, iterations, float(estimator.late_exaggeration))
    return with_growing_momentum(last)


def _annealing(estimator: TSNE, iterations: int) -> list[tuple[int, float]]:
    """Return (iterations, exaggeration) on a line from the early to the late exaggeration, ten iterations at a time."""
    early, late = float(estimator.early_exaggeration), float(estimator.late_exaggeration)
    steps = []
    for start in range(0, iterations, ANNEALING_STEP):
        length = min(ANNEALING_STEP, iterations - start)
        gone = (start + length / 2) / iterations
        steps.append((length, early + gone * (late - early)))
    return steps


def _phase(estimator: TSNE, samples: int, iterations: int, exaggeration: float) -> Phase:
    given = estimator.learning_rate
    rate = automatic_learning_rate(samples, exaggeration) if isinstance(given, str) else float(given)
    return Phase(iterations, exaggeration, rate)
