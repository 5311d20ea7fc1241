"""What a fit of softmax regression reached, by NumPy in float64 and none of the code that made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import entr, logsumexp

if TYPE_CHECKING:
    import scipy.sparse
    from numpy.typing import NDArray

    Matrix = NDArray[np.floating] | scipy.sparse.csr_array


class Checked(NamedTuple):
    """Objective of the mean loss, relative duality gap, and largest entry of the smooth part's gradient."""

    objective: float
    gap: float
    gradient: float


@dataclass(frozen=True)
class Penalty:
    """absolute |W|_1 + ridge / 2 |W|^2 + rows sum_j |W_j|, for W (features, classes); at most one a norm."""

    absolute: float = 0.0
    ridge: float = 0.0
    rows: float = 0.0

    def value(self, W: NDArray[np.float64]) -> float:
        """Return the penalty of W."""
        groups = np.sqrt((W**2).sum(axis=1)).sum()
        return float(self.absolute * np.abs(W).sum() + self.ridge / 2 * (W**2).sum() + self.rows * groups)

    def conjugate(self, slopes: NDArray[np.float64]) -> float:
        """Return sup_W <slopes, W> - value(W)."""
        beyond = np.maximum(np.abs(slopes) - self.absolute, 0.0)
        if self.rows:
            beyond = np.maximum(np.sqrt((slopes**2).sum(axis=1)) - self.rows, 0.0)
        if self.ridge:
            return float((beyond**2).sum() / (2 * self.ridge))
        return 0.0 if beyond.max() <= 1e-15 else np.inf

    def largest_scale(self, slopes: NDArray[np.float64]) -> float:
        """Return the largest s in [0, 1] whose conjugate at s times the slopes is finite."""
        if self.ridge:
            return 1.0
        size = np.sqrt((slopes**2).sum(axis=1)).max() if self.rows else np.abs(slopes).max()
        return float(min(1.0, (self.rows or self.absolute) / size)) if size > 0 else 1.0


def checked(X: Matrix, y: NDArray[np.int64], penalty: Penalty, W: NDArray, b: NDArray) -> Checked:
    """Evaluate weights (features, classes) and an unpenalised intercept.

    The dual point is a multiple of the residual at the intercept that balances it, found by Newton's method.
    """
    X, W, b = X.astype(np.float64), np.asarray(W, np.float64), np.asarray(b, np.float64)
    n = len(y)
    slopes = X @ W
    log_p = log_softmax(slopes + b)
    objective = -log_p[np.arange(n), y].mean() + penalty.value(W)
    residual = residual_of(log_p, y)
    gradient = max(np.abs(X.T @ residual / n + penalty.ridge * W).max(), np.abs(residual.mean(axis=0)).max())
    residual = residual_of(balanced(slopes, b, y), y)
    push = np.asarray(X.T @ residual) / n
    labels = np.zeros_like(residual)
    labels[np.arange(n), y] = 1.0

    def minus_dual(scale: float) -> float:
        return penalty.conjugate(-scale * push) - entr(np.clip(labels + scale * residual, 0, None)).sum(axis=1).mean()

    end = (1.0 - 1e-12) * penalty.largest_scale(push)
    inner = minimize_scalar(minus_dual, bounds=(0.0, end), method="bounded", options={"maxiter": 12}).fun
    dual = -min(minus_dual(end), inner)
    return Checked(float(objective), float((objective - dual) / objective), float(gradient))


def balanced(slopes: NDArray[np.float64], b: NDArray[np.float64], y: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the log-probabilities at the intercept whose residuals sum to 0 in every class."""
    log_p = log_softmax(slopes + b)
    for _ in range(20):
        surplus = residual_of(log_p, y).mean(axis=0)
        if np.abs(surplus).max() < 1e-14:
            break
        p = np.exp(log_p)
        b = b - np.linalg.lstsq(np.diag(p.mean(axis=0)) - p.T @ p / len(y), surplus, rcond=1e-12)[0]
        log_p = log_softmax(slopes + b)
    return log_p


def log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithms of the probabilities."""
    return logits - logsumexp(logits, axis=1, keepdims=True)


def residual_of(log_p: NDArray[np.float64], y: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the probabilities minus the labels."""
    residual = np.exp(log_p)
    residual[np.arange(len(y)), y] -= 1
    return residual
