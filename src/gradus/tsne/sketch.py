"""Rows of many features told in fewer: the candidates for neighbours are found there."""

from __future__ import annotations

import torch
from torch import Tensor

# rows of up to this many features are searched as they are
WIDE = 100
# the share of the squared distances that the axes kept must explain, and rows that the axes are computed from
EXPLAINED = 0.95
LEARNT_FROM = 10_000


def sketched(points: Tensor) -> Tensor:
    """Return rows with about the distances of ``points`` (samples, features), or the same ones if they are few.

    The leading principal axes are kept, and the length of all that is left becomes one more feature: distances are
    never overestimated, and wrong only where two rows differ in the direction of their remainders.

    Examples
    --------
    >>> sketched(torch.zeros(30, 200)).shape
    torch.Size([30, 2])
    """
    if points.shape[1] <= WIDE:
        return points
    sample = points[:: max(1, len(points) // LEARNT_FROM)].double()
    middle = sample.mean(0)
    sample = sample - middle
    variances, axes = torch.linalg.eigh(sample.T @ sample)
    explained = variances.flip(0).clamp_min(0).cumsum(0)
    kept = int((explained < EXPLAINED * explained[-1]).sum()) + 1
    axes = axes.flip(1)[:, :kept].contiguous().to(points)
    centred = points - middle.to(points)
    projected = centred @ axes
    left = ((centred**2).sum(1) - (projected**2).sum(1)).clamp_min(0).sqrt()
    return torch.cat([projected, left[:, None]], 1)
