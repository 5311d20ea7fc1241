"""The entropies in whole blocks, changed in their place; of hard labels the logarithms serve all scales.

With a hard label y, B = sum_{k != y} q_k and E = -sum_{k != y} q_k log q_k, a row's entropy at s is

s E - s log(s) B - (1 - s B) log(1 - s B)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.special import entr

from gradus.kernels.portions import row_blocks

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.simplex_entropy import Repair
    from gradus.kernels.softmax_sweep import Labelled


def simplex_entropy(probabilities: Tensor, labelled: Labelled, repair: Repair, scales: list[float]) -> Tensor:
    """Return the entropies; see the package."""
    total = labelled.weights.new_zeros(len(scales))
    for rows in row_blocks(*probabilities.shape):
        q = probabilities[rows].to(torch.float64, copy=True)
        q.div_(q.sum(dim=1, keepdim=True))
        freed = q @ repair.shares
        q.mul_(1.0 - repair.shares).addcmul_(freed[:, None], repair.receivers)
        entropies = _hard if labelled.targets.ndim == 1 else _soft
        total += torch.stack(entropies(q, labelled.of_rows(rows), scales))
    return total


def _hard(q: Tensor, labelled: Labelled, scales: list[float]) -> list[Tensor]:
    """Return the weighted sums for each scale, of class codes."""
    others = q.scatter_(1, labelled.targets[:, None], 0.0)
    mass = others.sum(dim=1)
    entropy = entr(others, out=others).sum(dim=1)
    weighted = labelled.weights @ torch.stack([entropy, mass], dim=1)
    own = [labelled.weights @ entr((1.0 - scale * mass).clamp_min_(0.0)) for scale in scales]
    logarithms = entr(q.new_tensor(scales))
    return [scale * weighted[0] + logarithms[at] * weighted[1] + own[at] for at, scale in enumerate(scales)]


def _soft(q: Tensor, labelled: Labelled, scales: list[float]) -> list[Tensor]:
    """Return the weighted sums for each scale, of rows of probabilities."""
    labels = labelled.targets.double()
    mass = labels.sum(dim=1, keepdim=True)
    labels = labels / mass
    weights = labelled.weights * mass[:, 0]
    found = []
    for scale in scales:
        drawn = torch.lerp(labels, q, scale).clamp_min_(0.0)
        found.append(weights @ entr(drawn, out=drawn).sum(dim=1))
    return found
