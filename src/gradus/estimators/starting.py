"""Where a fit begins."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from gradus.estimators.softmax_problem import Settings, certificate, convex_start
from gradus.estimators.solving import Way, solved
from gradus.losses import CrossEntropy, LinearModel, MappedFeatures

if TYPE_CHECKING:
    import torch

    from gradus.core.protocols import Proximable

# a start need not be a solution: from here on the penalty itself decides
START_TOLERANCE = 1e-3
# numbers of a file that are read into memory to find a start
START_NUMBERS = 67_108_864


def started(model: LinearModel[CrossEntropy], penalty: Proximable, settings: Settings) -> torch.Tensor:
    """Return 0, or near the solution under the convex relative of a penalty that is not convex."""
    rough = replace(settings, tol=max(settings.tol, START_TOLERANCE), solver="auto")
    relaxation = convex_start(penalty)
    if isinstance(model.features, MappedFeatures):
        return _start_in_memory(model, relaxation or penalty, rough)
    if relaxation is None:
        return model.zeros()
    return solved(model, relaxation, rough, Way(model.zeros(), certificate(model, relaxation, rough.tol))).point


def _start_in_memory(model: LinearModel[CrossEntropy], penalty: Proximable, rough: Settings) -> torch.Tensor:
    """Return near the solution on evenly spaced rows that fit into memory: each pass saved is one over a file."""
    samples, features = model.features.shape
    step = math.ceil(samples * features / START_NUMBERS)
    weights = model.weights[::step]
    if step == 1 or not weights.sum() > 0:
        return model.zeros()
    some = LinearModel(
        model.loss.rows(0, samples, step),
        model.features.rows(0, samples, step),
        weights / weights.sum(),
        model.intercept,
        model.scale,
    )
    return solved(some, penalty, rough, Way(some.zeros(), certificate(some, penalty, rough.tol))).point
