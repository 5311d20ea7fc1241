"""The expansion a block of samples at a time, each loop along the samples of the block, which lie side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from gradus.kernels.compilation import compiled
from gradus.kernels.elementary import exponential, logarithm_above_one
from gradus.kernels.softmax_expansion import Expansion, Samples

if TYPE_CHECKING:
    from torch import Tensor

# samples of a block: some dozen features of them stay in the first level of the cache
BLOCK = 128
# products that one pass along a block's samples adds up
TOGETHER = 4


def softmax_expansion(samples: Samples, point: Tensor, *, baseline: bool) -> Expansion:
    """Return the expansion; see the package."""
    columns, labels, shares = (part.numpy() for part in samples)
    weights = np.ascontiguousarray(point.numpy().T)
    outputs, features = weights.shape
    gradient, hessian = np.zeros((outputs, features)), np.zeros((outputs, features, outputs, features))
    value = _expand((columns, labels, shares), weights, gradient, hessian, baseline)
    whole = torch.from_numpy(hessian.reshape(weights.size, weights.size))
    return Expansion(value, torch.from_numpy(gradient).t(), whole)


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _expand(
    samples: tuple[np.ndarray, np.ndarray, np.ndarray],
    weights: np.ndarray,
    gradient: np.ndarray,
    hessian: np.ndarray,
    baseline: bool,
) -> float:
    columns, labels, shares = samples
    outputs, features = weights.shape
    block, given = np.empty((features, BLOCK)), np.empty((outputs, BLOCK))
    chances, lacks, pulls = np.empty((outputs, BLOCK)), np.empty((outputs, BLOCK)), np.empty((outputs, BLOCK))
    losses, bend, bent = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    value = 0.0
    for start in range(0, len(shares), BLOCK):
        count = min(BLOCK, len(shares) - start)
        share = shares[start : start + count]
        for d in range(features):
            block[d, :count] = columns[d, start : start + count]
        for k in range(outputs):
            given[k, :count] = labels[k, start : start + count]
            _add_logits(block, weights[k], chances[k, :count])
        _turn_to_chances(chances[:, :count], given, lacks, pulls, losses, baseline)
        for i in range(count):
            value += share[i] * losses[i]
        for k in range(outputs):
            pull = pulls[k, :count]
            for i in range(count):
                pull[i] *= share[i]
            _add_products(block, pull, features, gradient[k])
            for other in range(k + 1):
                for i in range(count):
                    bend[i] = share[i] * chances[k, i] * (lacks[k, i] if other == k else -chances[other, i])
                for d in range(features):
                    for i in range(count):
                        bent[i] = bend[i] * block[d, i]
                    _add_products(block, bent[:count], d + 1, hessian[k, d, other])
    _mirror(hessian)
    return value


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _add_logits(block: np.ndarray, weights: np.ndarray, logits: np.ndarray) -> None:
    logits[:] = 0.0
    for d in range(len(weights)):
        weight = weights[d]
        for i in range(len(logits)):
            logits[i] += weight * block[d, i]


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _add_products(block: np.ndarray, factor: np.ndarray, rows: int, sums: np.ndarray) -> None:
    """Add the products of the first rows of a block with ``factor``."""
    row = 0
    while row + TOGETHER <= rows:
        first, second, third, fourth = block[row], block[row + 1], block[row + 2], block[row + 3]
        a, b, c, d = 0.0, 0.0, 0.0, 0.0
        for i in range(len(factor)):
            a += factor[i] * first[i]
            b += factor[i] * second[i]
            c += factor[i] * third[i]
            d += factor[i] * fourth[i]
        sums[row] += a
        sums[row + 1] += b
        sums[row + 2] += c
        sums[row + 3] += d
        row += TOGETHER
    for last in range(row, rows):
        own, a = block[last], 0.0
        for i in range(len(factor)):
            a += factor[i] * own[i]
        sums[last] += a


@compiled(fastmath={"contract", "nsz"})
def _turn_to_chances(
    chances: np.ndarray, labels: np.ndarray, lacks: np.ndarray, pulls: np.ndarray, losses: np.ndarray, baseline: bool
) -> None:
    """Turn logits into probabilities; find what each lacks to 1, the losses, and their slopes in the logits.

    None has cancellation where one output is nearly certain: what it lacks is what the others have. ``own`` is the
    likeliest output, the baseline -1. Sums are not reassociated, which exponentials would not bear.
    """
    outputs, count = chances.shape
    top, rest, own, left = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    for i in range(count):
        top[i] = 0.0 if baseline else chances[0, i]
        losses[i], left[i] = 0.0, 1.0
        own[i] = -1.0 if baseline else 0.0
    for k in range(outputs):
        for i in range(count):
            if chances[k, i] > top[i]:
                top[i] = chances[k, i]
                own[i] = k
    for i in range(count):
        rest[i] = exponential(-top[i]) if own[i] >= 0.0 else 0.0
        rest[i] = rest[i] if baseline else 0.0
    for k in range(outputs):
        for i in range(count):
            losses[i] += labels[k, i] * (top[i] - chances[k, i])
            left[i] -= labels[k, i]
            chances[k, i] = exponential(chances[k, i] - top[i])
            rest[i] += 0.0 if own[i] == k else chances[k, i]
    for i in range(count):
        losses[i] += (left[i] * top[i] if baseline else 0.0) + logarithm_above_one(rest[i])
    for k in range(outputs):
        for i in range(count):
            chances[k, i] /= 1.0 + rest[i]
            lacks[k, i] = rest[i] / (1.0 + rest[i]) if own[i] == k else 1.0 - chances[k, i]
            lacking = (1.0 - labels[k, i]) - lacks[k, i]
            pulls[k, i] = lacking if own[i] == k else chances[k, i] - labels[k, i]


@compiled()
def _mirror(hessian: np.ndarray) -> None:
    """Fill what is above the diagonal, of the whole and of the part of each pair of outputs."""
    outputs, features = hessian.shape[:2]
    for k in range(outputs):
        for other in range(k + 1):
            for d in range(features):
                for e in range(d + 1):
                    number = hessian[k, d, other, e]
                    hessian[k, e, other, d] = number
                    hessian[other, d, k, e] = number
                    hessian[other, e, k, d] = number
