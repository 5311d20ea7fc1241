"""The entropies in a few lines of torch, right on any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.simplex_entropy import Repair
    from gradus.kernels.softmax_sweep import Labelled


def simplex_entropy(probabilities: Tensor, labelled: Labelled, repair: Repair, scales: list[float]) -> Tensor:
    """Return the entropies; see the package."""
    p = probabilities.double()
    p = p / p.sum(dim=1, keepdim=True)
    q = p * (1 - repair.shares) + (p @ repair.shares)[:, None] * repair.receivers
    targets = labelled.targets
    y = targets.double() if targets.ndim == 2 else torch.zeros_like(p).scatter_(1, targets[:, None], 1.0)
    mass = y.sum(dim=1, keepdim=True)
    drawn = [(y / mass + scale * (q - y / mass)).clamp_min(0.0) for scale in scales]
    each = [(mass * torch.special.entr(v)).sum(dim=1) for v in drawn]
    return torch.stack([(labelled.weights * entropies).sum() for entropies in each])
