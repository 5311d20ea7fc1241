"""Softmax regression: gradus beside scikit-learn at the same objective, on MNIST or, without it, on the digits."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from scipy.special import logsumexp
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from benchmarks.measure import Findings, Table, Target, median
from gradus.estimators import SoftmaxRegression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MNIST = Path(__file__).parents[1] / ".." / "shared" / "data" / "mnist.npz"
RIDGE, LASSO = 1e-4, 1e-3
REPEATS = 3
RIDGE_LONGEST, LASSO_LONGEST = 10.0, 60.0


class Fit(NamedTuple):
    """What one fit took and reached."""

    seconds: float
    objective: float
    iterations: int


def run() -> Findings:
    """Time whole fits in turns, and evaluate every objective by the same float64 code."""
    name, X, y = data()
    warm_up = SoftmaxRegression(max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warm_up.fit(X[:: len(X) // 500], y[:: len(X) // 500])
        ours, peers = [], []
        for _ in range(REPEATS):
            ours.append(fitted(SoftmaxRegression(RIDGE), X, y, l1_ratio=0.0, alpha=RIDGE))
            peer = LogisticRegression(C=1 / (RIDGE * len(y)), tol=1e-4, max_iter=1000)
            peers.append(fitted(peer, X, y, l1_ratio=0.0, alpha=RIDGE))
        lasso = fitted(SoftmaxRegression(LASSO, l1_ratio=1.0), X, y, l1_ratio=1.0, alpha=LASSO)
        first_order = SoftmaxRegression(LASSO, l1_ratio=1.0, solver="proximal-gradient")
        fista = fitted(first_order, X, y, l1_ratio=1.0, alpha=LASSO)
    rows = [
        row("gradus, L2", ours),
        row("scikit-learn lbfgs, tol 1e-4, L2", peers),
        row("gradus, L1", [lasso]),
        row("gradus, L1, FISTA", [fista]),
    ]
    targets = [Target("no slower than scikit-learn lbfgs, as a ratio of medians", *ratio(peers, ours))]
    if MNIST.exists():
        seconds = median([fit.seconds for fit in ours])
        targets.append(Target(f"L2 under {RIDGE_LONGEST:g} s", seconds, seconds < RIDGE_LONGEST))
        targets.append(Target(f"L1 under {LASSO_LONGEST:g} s", lasso.seconds, lasso.seconds < LASSO_LONGEST))
    return Findings(
        title="Softmax regression",
        conditions=[
            f"{name}: {X.shape[0]:,} x {X.shape[1]:,} {X.dtype}, {len(np.unique(y))} classes, mean loss, intercept.",
            f"alpha {RIDGE:g} (L2) and {LASSO:g} (L1); gradus to a relative duality gap of 1e-4.",
            f"{torch.get_num_threads()} threads.",
            f"L2 fits in turns, medians of {REPEATS}; the L1 fits once each.",
        ],
        tables=[Table("Whole fits", ("fit", "seconds", "objective reached", "iterations"), rows)],
        targets=targets,
        packages=("numpy", "numba", "torch", "scikit-learn"),
    )


def data() -> tuple[str, NDArray[np.float32], NDArray[np.int64]]:
    """Return MNIST's training rows where they are at hand, else the digits; pixels in [0, 1]."""
    if MNIST.exists():
        with np.load(MNIST) as arrays:
            X, y = arrays["x_train"], arrays["y_train"]
        return "MNIST", X.reshape(len(X), -1).astype(np.float32) / np.float32(255), y.astype(np.int64)
    X, y = load_digits(return_X_y=True)
    return "digits", (X / 16).astype(np.float32), y


def fitted(
    model: SoftmaxRegression | LogisticRegression,
    X: NDArray[np.float32],
    y: NDArray[np.int64],
    l1_ratio: float,
    alpha: float,
) -> Fit:
    """Fit once and measure."""
    begun = time.perf_counter()
    model.fit(X, y)
    seconds = time.perf_counter() - begun
    W = model.coef_.astype(np.float64)
    logits = X.astype(np.float64) @ W.T + model.intercept_
    loss = (logsumexp(logits, axis=1) - logits[np.arange(len(y)), y]).mean()
    penalty = alpha * ((1 - l1_ratio) / 2 * (W**2).sum() + l1_ratio * np.abs(W).sum())
    return Fit(seconds, float(loss + penalty), int(np.max(model.n_iter_)))


def row(name: str, fits: Sequence[Fit]) -> tuple[str, float, str, int]:
    """Return the table's row of some fits."""
    return name, round(median([fit.seconds for fit in fits]), 2), f"{fits[0].objective:.7f}", fits[0].iterations


def ratio(peers: Sequence[Fit], ours: Sequence[Fit]) -> tuple[float, bool]:
    """Return how many times as long the peer takes, and whether it is at least 1."""
    value = median([fit.seconds for fit in peers]) / median([fit.seconds for fit in ours])
    return value, value >= 1.0
