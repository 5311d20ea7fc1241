"""What was measured along a regularisation path, fold by fold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from gradus.estimators.scoring import LogLoss, Scoring, TopKLoss
from gradus.metrics import Wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from gradus.estimators.regularisation_path import PathPoint


class HeldOut(NamedTuple):
    """How one fit does on one set of rows that it has not seen."""

    score: float
    score_variance: float
    error: float
    cross_entropy: float


class Judge(NamedTuple):
    """Rows held out of a fit: their labels (codes or probabilities), their weights, and what they are judged by."""

    targets: Tensor
    weights: Tensor
    scoring: Scoring

    @property
    def rows(self) -> float:
        """Kish's effective number of rows."""
        return float(self.weights.sum() ** 2 / self.weights.square().sum())

    def judged(self, logits: Tensor) -> HeldOut:
        """Return the weighted means of the losses of these rows."""
        share = self.weights / self.weights.sum()
        losses = self.scoring.losses(logits, self.targets)
        score = share @ losses
        variance = share @ (losses - score).square()
        error, entropy = (share @ kind.losses(logits, self.targets) for kind in (TopKLoss(1), LogLoss()))
        return HeldOut(score.item(), variance.item(), error.item(), entropy.item())


class FoldPath(NamedTuple):
    """The fits of one fold, how each does on the rows held out, and how many those are in effect."""

    points: Sequence[PathPoint]
    held_out: Sequence[HeldOut]
    rows: float


@dataclass(frozen=True, eq=False)
class PathResults:
    """What was measured; arrays are (folds, alphas) where nothing else is said, in the order of ``alphas``.

    Attributes
    ----------
    alphas : (alphas,) strongest first
    rows : (folds,) rows held out, in number or, with sample weights, in effect
    score : what was selected by, on the rows held out
    score_variance : of the rows' losses
    error, cross_entropy : top-1 error and mean cross-entropy in nats, on the rows held out
    relative_gap : bound on (objective - minimum) / objective on the rows fitted
    iterations, seconds : of each fit; the seconds include its certificate
    converged : whether the gap is at most ``tol``
    coefficients : (folds, alphas, classes, features), or None
    intercepts : (folds, alphas, classes), or None
    """

    alphas: NDArray[np.float64]
    rows: NDArray[np.float64]
    score: NDArray[np.float64]
    score_variance: NDArray[np.float64]
    error: NDArray[np.float64]
    cross_entropy: NDArray[np.float64]
    relative_gap: NDArray[np.float64]
    iterations: NDArray[np.int64]
    seconds: NDArray[np.float64]
    converged: NDArray[np.bool_]
    coefficients: NDArray[np.floating] | None = None
    intercepts: NDArray[np.floating] | None = None

    @property
    def mean_score(self) -> NDArray[np.float64]:
        """(alphas,) mean over all rows held out."""
        return self._pooled(self.score)

    @property
    def mean_error(self) -> NDArray[np.float64]:
        """(alphas,) top-1 error over all rows held out."""
        return self._pooled(self.error)

    @property
    def mean_cross_entropy(self) -> NDArray[np.float64]:
        """(alphas,) mean over all rows held out."""
        return self._pooled(self.cross_entropy)

    @property
    def standard_error(self) -> NDArray[np.float64]:
        """(alphas,) standard error of ``mean_score``, from the spread of the folds or, of one fold, of its rows."""
        folds = len(self.rows)
        if folds == 1:
            return np.asarray(np.sqrt(self.score_variance[0] / self.rows[0]))
        return np.asarray(self.score.std(axis=0, ddof=1) / np.sqrt(folds))

    def error_interval(self, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return Wilson's limits of ``error``, each (folds, alphas)."""
        return Wilson(level).proportion(self.error, np.broadcast_to(self.rows[:, None], self.error.shape))

    def mean_error_interval(self, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return Wilson's limits of ``mean_error``, each (alphas,), for all rows held out together.

        The error of the strength that was chosen for being the lowest is flattered by the choice: report rows that
        took no part.
        """
        return Wilson(level).proportion(self.mean_error, np.full(len(self.alphas), self.rows.sum()))

    def _pooled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.average(values, axis=0, weights=self.rows)


def collected(folds: Sequence[FoldPath]) -> PathResults:
    """Return the results of the strengths that every fold has reached, without coefficients."""
    reached = min(len(fold.points) for fold in folds)

    def of_held_out(measured: Callable[[HeldOut], float]) -> NDArray[np.float64]:
        return np.array([[measured(held_out) for held_out in fold.held_out[:reached]] for fold in folds])

    def of_points(measured: Callable[[PathPoint], float]) -> NDArray[np.float64]:
        return np.array([[measured(point) for point in fold.points[:reached]] for fold in folds])

    return PathResults(
        alphas=np.array([point.alpha for point in folds[0].points[:reached]]),
        rows=np.array([fold.rows for fold in folds]),
        score=of_held_out(lambda held_out: held_out.score),
        score_variance=of_held_out(lambda held_out: held_out.score_variance),
        error=of_held_out(lambda held_out: held_out.error),
        cross_entropy=of_held_out(lambda held_out: held_out.cross_entropy),
        relative_gap=of_points(lambda point: point.solution.certificate),
        iterations=of_points(lambda point: point.solution.iterations).astype(np.int64),
        seconds=of_points(lambda point: point.seconds),
        converged=of_points(lambda point: point.solution.converged).astype(np.bool_),
    )


def with_coefficients(results: PathResults, folds: Sequence[FoldPath], features: int) -> PathResults:
    """Return ``results`` with the coefficients of every fit."""
    reached = len(results.alphas)
    points = [torch.stack([point.solution.point for point in fold.points[:reached]]) for fold in folds]
    weights, intercepts = coefficients(torch.stack(points), features)
    return replace(results, coefficients=weights, intercepts=intercepts)


def coefficients(points: Tensor, features: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the weights (..., classes, features) and intercepts (..., classes) of points, 0 without intercept."""
    points = points.cpu()
    weights = np.ascontiguousarray(points[..., :features, :].transpose(-1, -2).numpy())
    if points.shape[-2] == features:
        return weights, np.zeros(weights.shape[:-1], weights.dtype)
    return weights, points[..., features, :].numpy().copy()
