"""A regularisation path for each fold, judged on the rows that the fold holds out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

from gradus.core import progress
from gradus.estimators.path_results import FoldPath, HeldOut, Judge
from gradus.estimators.regularisation_path import PathPoint, regularisation_path, shared_spectrum
from gradus.losses import CrossEntropy, LinearModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gradus.estimators.softmax_problem import Settings
    from gradus.estimators.validation import TrainingData
    from gradus.losses import Features
    from gradus.losses.shared_preconditioner import Spectrum


class Exam(NamedTuple):
    """Rows to fit, and other rows to judge the fit by."""

    fitted: TrainingData
    held_out: Features
    judge: Judge


@dataclass(frozen=True)
class PathPlan:
    """What is fitted along every path.

    Attributes
    ----------
    settings : of each fit but for its strength
    intercept : whether the logits have one
    alphas : strengths, strongest first
    patience : end after so many strengths without a lower cross-entropy on the rows held out; None: never
    """

    settings: Settings
    intercept: bool
    alphas: NDArray[np.float64]
    patience: int | None

    def model(self, data: TrainingData) -> LinearModel[CrossEntropy]:
        """Return the mean cross-entropy of ``data``."""
        loss = CrossEntropy(data.targets, len(data.classes))
        return LinearModel(loss, data.features, data.weights, self.intercept, 1.0 / self.settings.temperature)


def examined(exams: Iterable[Exam], plan: PathPlan, count: int) -> list[FoldPath]:
    """Return the path of each of ``count`` exams.

    The first one's Gram matrix serves all of them, and each is led by the mean of those before.
    """
    spectrum: Spectrum | None = None
    folds: list[FoldPath] = []
    with progress.task("choosing alpha", total=count * len(plan.alphas)) as task:
        for exam in exams:
            model = plan.model(exam.fitted)
            spectrum = shared_spectrum(model) if spectrum is None else spectrum
            points: list[PathPoint] = []
            held_out: list[HeldOut] = []
            for point in regularisation_path(model, plan.settings, plan.alphas, spectrum, _mean_points(folds)):
                points.append(point)
                held_out.append(exam.judge.judged(model.logits(point.solution.point, exam.held_out)))
                task.advance(note=f"alpha {point.alpha:.2g}: {held_out[-1].error:.2%} wrong")
                if plan.patience is not None and _in_vain(held_out) >= plan.patience:
                    break
            folds.append(FoldPath(points, held_out, exam.judge.rows))
    return folds


def _mean_points(folds: Sequence[FoldPath]) -> dict[float, torch.Tensor]:
    """Return the mean solution at each strength that every fold has reached."""
    if not folds:
        return {}
    reached = zip(*(fold.points for fold in folds), strict=False)
    return {points[0].alpha: torch.stack([each.solution.point for each in points]).mean(dim=0) for points in reached}


def _in_vain(held_out: Sequence[HeldOut]) -> int:
    """Return how many strengths have passed since the lowest cross-entropy."""
    entropies = torch.tensor([each.cross_entropy for each in held_out])
    return len(held_out) - 1 - int(entropies.argmin())
