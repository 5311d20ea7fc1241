"""What the weighted rows of each class add up to, for Numba code: dense and sparse, codes and probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import overload

from gradus.kernels.compilation import compiled


@compiled()
def add_dense(
    matrix: np.ndarray, targets: np.ndarray, weights: np.ndarray, slopes: np.ndarray, totals: np.ndarray
) -> None:
    """Add w_i y_ik x_ij to slopes[k, j] and w_i y_ik to totals[k]."""
    for i in range(len(matrix)):
        first, last = _classes_of(targets, i)
        for k in range(first, last):
            share = weights[i] * _label(targets, i, k)
            if share != 0.0:
                totals[k] += share
                for j in range(matrix.shape[1]):
                    slopes[k, j] += share * np.float64(matrix[i, j])


@compiled()
def add_sparse(
    data: np.ndarray,
    indices: np.ndarray,
    starts: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    slopes: np.ndarray,
    totals: np.ndarray,
) -> None:
    """Add w_i y_ik x_ij to slopes[j, k] and w_i y_ik to totals[k]."""
    for i in range(len(weights)):
        first, last = _classes_of(targets, i)
        for k in range(first, last):
            share = weights[i] * _label(targets, i, k)
            totals[k] += share
            for entry in range(starts[i], starts[i + 1]):
                slopes[indices[entry], k] += share * np.float64(data[entry])


def _classes_of(targets: Any, i: Any) -> tuple[int, int]:
    raise NotImplementedError("for Numba code only: its overload chooses by the targets' number of axes")


@overload(_classes_of, inline="always")
def _classes_of_row(targets, i):  # type: ignore[no-untyped-def]
    if targets.ndim == 1:
        return lambda targets, i: (targets[i], targets[i] + 1)
    return lambda targets, i: (0, targets.shape[1])


def _label(targets: Any, i: Any, k: Any) -> float:
    raise NotImplementedError("for Numba code only: its overload chooses by the targets' number of axes")


@overload(_label, inline="always")
def _label_of_row(targets, i, k):  # type: ignore[no-untyped-def]
    if targets.ndim == 1:
        return lambda targets, i, k: 1.0
    return lambda targets, i, k: np.float64(targets[i, k])
