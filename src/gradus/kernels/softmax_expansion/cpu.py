"""The expansion a sample at a time: its outer product with itself is added to every pair of outputs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from gradus.kernels.compilation import compiled
from gradus.kernels.softmax_expansion import Expansion, Samples

if TYPE_CHECKING:
    from torch import Tensor


def softmax_expansion(samples: Samples, point: Tensor, *, baseline: bool) -> Expansion:
    """Return the expansion; see the package."""
    rows, labels, shares = (part.numpy() for part in samples)
    weights = np.ascontiguousarray(point.numpy().T)
    outputs, features = weights.shape
    gradient, hessian = np.zeros((outputs, features)), np.empty((outputs, features, outputs, features))
    value = _expand((rows, labels, shares), weights, gradient, hessian, baseline)
    whole = torch.from_numpy(hessian.reshape(weights.size, weights.size))
    return Expansion(float(value), torch.from_numpy(gradient.T.copy()), whole)


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _expand(
    samples: tuple[np.ndarray, np.ndarray, np.ndarray],
    weights: np.ndarray,
    gradient: np.ndarray,
    hessian: np.ndarray,
    baseline: bool,
) -> float:
    rows, labels, shares = samples
    outputs, features = weights.shape
    # half of a symmetric matrix is kept, row after row
    chances, square = np.empty(outputs), np.empty(features * (features + 1) // 2)
    pairs = np.zeros((outputs * (outputs + 1) // 2, len(square)))
    value = 0.0
    for i in range(len(rows)):
        if shares[i] == 0.0:
            continue
        own = rows[i]
        loss, best, rest = _loss(own, labels[i], weights, chances, baseline)
        value += shares[i] * loss
        for d in range(features):
            start = d * (d + 1) // 2
            for e in range(d + 1):
                square[start + e] = own[d] * own[e]
        pair = 0
        for k in range(outputs):
            lack = rest if k == best else 1.0 - chances[k]
            pull = shares[i] * ((1.0 - labels[i, k]) - lack)
            for d in range(features):
                gradient[k, d] += pull * own[d]
            for other in range(k + 1):
                bend = shares[i] * chances[k] * (lack if other == k else -chances[other])
                for place in range(len(square)):
                    pairs[pair, place] += bend * square[place]
                pair += 1
    pair = 0
    for k in range(outputs):
        for other in range(k + 1):
            for d in range(features):
                for e in range(d + 1):
                    number = pairs[pair, d * (d + 1) // 2 + e]
                    hessian[k, d, other, e] = hessian[other, d, k, e] = number
                    hessian[k, e, other, d] = hessian[other, e, k, d] = number
            pair += 1
    return value


@compiled()
def _loss(
    own: np.ndarray, labels: np.ndarray, weights: np.ndarray, chances: np.ndarray, baseline: bool
) -> tuple[float, int, float]:
    """Put the probabilities of a sample there; return its loss, the likeliest output, and the others' probability.

    Neither has cancellation where one output is nearly certain. The baseline is the output -1.
    """
    best, top, left = -1, 0.0 if baseline else -np.inf, 1.0
    for k in range(len(chances)):
        logit = 0.0
        for d in range(len(own)):
            logit += own[d] * weights[k, d]
        chances[k] = logit
        if logit > top:
            best, top = k, logit
    loss, rest = 0.0, math.exp(-top) if baseline and best >= 0 else 0.0
    for k in range(len(chances)):
        loss += labels[k] * (top - chances[k])
        left -= labels[k]
        chances[k] = math.exp(chances[k] - top)
        rest += chances[k] if k != best else 0.0
    if baseline:
        loss += left * top
    for k in range(len(chances)):
        chances[k] /= 1.0 + rest
    return loss + math.log1p(rest), best, rest / (1.0 + rest)
