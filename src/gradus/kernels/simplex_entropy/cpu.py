"""The entropies, parts of the rows in parallel, each with sums of its own that are added in order.

With a hard label y and B = sum_{k != y} q_k, A = sum_{k != y} q_k log q_k, a row's entropy at s is

-s A - s log(s) B - (1 - s B) log(1 - s B)

so that the logarithms of the probabilities serve all scales.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from gradus.kernels.blocks import row_parts
from gradus.kernels.compilation import compiled
from gradus.kernels.elementary import logarithm
from gradus.kernels.threads import each_part

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.simplex_entropy import Repair
    from gradus.kernels.softmax_sweep import Labelled

# a logarithm and what surrounds it, in arithmetic steps
STEPS = 40
ROWS = 1024


def simplex_entropy(probabilities: Tensor, labelled: Labelled, repair: Repair, scales: list[float]) -> Tensor:
    """Return the entropies; see the package."""
    p, targets, weights, shares, receivers = (
        np.ascontiguousarray(tensor.detach().numpy()) for tensor in (probabilities, *labelled, *repair)
    )
    asked = np.array(scales, dtype=np.float64)
    run = _hard if targets.ndim == 1 else _soft

    def part_of(rows: slice) -> np.ndarray:
        sums = np.zeros(len(asked))
        run(p[rows], targets[rows], weights[rows], shares, receivers, asked, sums)
        return sums

    logarithms = p.size if targets.ndim == 1 else p.size * len(asked)
    parts = each_part(row_parts(len(p), len(p) // ROWS), part_of, STEPS * logarithms)
    return torch.from_numpy(np.sum(parts, axis=0))


@compiled(fastmath={"reassoc", "contract"})
def _repaired(p: np.ndarray, shares: np.ndarray, receivers: np.ndarray, q: np.ndarray) -> None:
    """Set ``q`` to the row ``p``, divided by its sum and repaired."""
    whole, freed = 0.0, 0.0
    for k in range(len(p)):
        q[k] = p[k]
        whole += q[k]
    for k in range(len(p)):
        q[k] /= whole
        freed += q[k] * shares[k]
    for k in range(len(p)):
        q[k] = q[k] * (1.0 - shares[k]) + freed * receivers[k]


@compiled(inline="always")
def _times_logarithm(x: float) -> float:
    """Return x log(x), 0 at 0 and at what is too small for a normal number."""
    value: float = x * logarithm(max(x, 1e-300))
    return value


@compiled(fastmath={"reassoc", "contract"})
def _hard(
    p: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    shares: np.ndarray,
    receivers: np.ndarray,
    scales: np.ndarray,
    sums: np.ndarray,
) -> None:
    q = np.empty(p.shape[1])
    for i in range(len(p)):
        _repaired(p[i], shares, receivers, q)
        q[targets[i]] = 0.0
        others, logarithms = 0.0, 0.0
        for k in range(len(q)):
            others += q[k]
            logarithms += _times_logarithm(q[k])
        for s in range(len(scales)):
            scale = scales[s]
            moved = min(scale * others, 1.0)
            own = (1.0 - moved) * math.log1p(-moved) if moved < 1.0 else 0.0
            spread = scale * logarithms + _times_logarithm(scale) * others
            sums[s] -= weights[i] * (spread + own)


@compiled(fastmath={"reassoc", "contract"})
def _soft(
    p: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    shares: np.ndarray,
    receivers: np.ndarray,
    scales: np.ndarray,
    sums: np.ndarray,
) -> None:
    q, y = np.empty(p.shape[1]), np.empty(p.shape[1])
    for i in range(len(p)):
        _repaired(p[i], shares, receivers, q)
        mass = 0.0
        for k in range(len(q)):
            y[k] = targets[i, k]
            mass += y[k]
        for s in range(len(scales)):
            total = 0.0
            for k in range(len(q)):
                drawn = y[k] / mass + scales[s] * (q[k] - y[k] / mass)
                total += _times_logarithm(max(drawn, 0.0))
            sums[s] -= weights[i] * mass * total
