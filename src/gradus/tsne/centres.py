"""Centres of cells by k-means, as cheap as products of matrices make it, and the same for any number of threads."""

from __future__ import annotations

import torch
from torch import Tensor

from gradus.kernels.threads import each_part

ROUNDS = 6
# rows that each centre is learnt from, on average
TRAINED_ON = 32
# rows whose distances to all centres stay in the second level of the cache
BLOCK = 256


def centres_of(points: Tensor, count: int) -> Tensor:
    """Return ``count`` centres of ``points`` (samples, features), by a few rounds of k-means on a sample.

    Examples
    --------
    >>> centres_of(torch.tensor([[0.0], [2.0], [9.0], [11.0]]), 4).sort(dim=0).values.T
    tensor([[ 0.,  2.,  9., 11.]])
    """
    generator = torch.Generator().manual_seed(0)
    chosen = torch.randperm(len(points), generator=generator)[: TRAINED_ON * count]
    sample = points[chosen]
    centres = sample[:count].clone()
    for _ in range(ROUNDS):
        owner = owners(sample, centres)
        total = torch.zeros_like(centres).index_add_(0, owner, sample)
        members = torch.bincount(owner, minlength=count)[:, None]
        centres = torch.where(members > 0, total / members.clamp_min(1), centres)
    return centres


def owners(points: Tensor, centres: Tensor) -> Tensor:
    """Return which of ``centres`` (cells, features) is the nearest to every point, (samples,), int64.

    The products are taken over blocks of a fixed size, each on one thread, so that no number of threads changes a bit.

    Examples
    --------
    >>> owners(torch.tensor([[1.0], [8.0]]), torch.tensor([[0.0], [10.0]]))
    tensor([0, 1])
    """
    half = (centres**2).sum(1) / 2
    towards = centres.T.contiguous()

    def nearest(rows: slice) -> Tensor:
        return torch.addmm(half, points[rows], towards, alpha=-1).argmin(1)

    blocks = [slice(start, start + BLOCK) for start in range(0, len(points), BLOCK)]
    return torch.cat(each_part(blocks, nearest, points.numel() * len(centres)))
