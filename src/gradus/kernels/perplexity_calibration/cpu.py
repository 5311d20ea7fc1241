"""The calibration by Newton's method on log(beta), one row at a time, rows in parallel."""

from __future__ import annotations

import math

import numba
import numpy as np
import torch
from torch import Tensor

from gradus.kernels.compilation import compiled

STEPS = 100
WIDEST = 80.0
TOLERANCE = 1e-9


def conditional_probabilities(squared_distances: Tensor, perplexity: float) -> Tensor:
    """Return the row-wise Gaussian probabilities of the given perplexity; see the package."""
    source = np.ascontiguousarray(squared_distances.detach().numpy())
    probabilities = np.empty_like(source)
    _calibrate(source, math.log(perplexity), probabilities)
    return torch.from_numpy(probabilities)


@compiled(parallel=True)
def _calibrate(squared: np.ndarray, target: float, probabilities: np.ndarray) -> None:
    rows, count = squared.shape
    for row in numba.prange(rows):
        excess = np.empty(count, np.float64)
        weights = np.empty(count, np.float64)
        nearest = np.inf
        for j in range(count):
            nearest = min(nearest, squared[row, j])
        mean = 0.0
        for j in range(count):
            excess[j] = np.float64(squared[row, j]) - nearest
            mean += excess[j]
        mean /= count
        scale = 1.0 / mean if mean > 0 else 1.0
        for j in range(count):
            excess[j] *= scale
        total = _solve_row(excess, weights, target)
        for j in range(count):
            probabilities[row, j] = weights[j] / total


@compiled()
def _solve_row(excess: np.ndarray, weights: np.ndarray, target: float) -> float:
    """Fill ``weights`` with exp(-beta * excess) at the calibrated beta and return their sum."""
    low, high, log_beta, total = -WIDEST, WIDEST, 0.0, 1.0
    for _ in range(STEPS):
        beta = math.exp(log_beta)
        total, first, second = 0.0, 0.0, 0.0
        for j in range(excess.size):
            weight = math.exp(-beta * excess[j])
            weights[j] = weight
            total += weight
            first += weight * excess[j]
            second += weight * excess[j] * excess[j]
        first /= total
        surplus = math.log(total) + beta * first - target
        if abs(surplus) < TOLERANCE or high - low < 1e-14:
            break
        if surplus > 0:
            low = log_beta
        else:
            high = log_beta
        # d entropy / d log(beta) = -beta^2 * variance of the excess
        slope = beta * beta * (second / total - first * first)
        step = log_beta + surplus / slope if slope > 1e-12 else high + 1.0
        log_beta = step if low < step < high else 0.5 * (low + high)
    return total
