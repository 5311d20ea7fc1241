"""What the mean is, on any device: both directions of every edge, sorted and summed."""

from __future__ import annotations

import torch
from torch import Tensor


def joint_graph(neighbours: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return where each row begins, its columns in order of index, and their weights; see the package."""
    samples, count = neighbours.shape
    here = torch.arange(samples, device=neighbours.device).repeat_interleave(count)
    there = neighbours.reshape(-1).long()
    both = torch.cat([here * samples + there, there * samples + here])
    edges, place = torch.unique(both, return_inverse=True)
    halves = (weights.reshape(-1).double() / (2 * samples)).repeat(2)
    sums = torch.zeros(len(edges), dtype=torch.float64, device=weights.device).index_add_(0, place, halves)
    offsets = torch.zeros(samples + 1, dtype=torch.int64, device=neighbours.device)
    offsets[1:] = torch.bincount(edges // samples, minlength=samples).cumsum(0)
    return offsets, (edges % samples).int(), sums.float()
