"""What the attraction computes, on any device: every edge at once, then a sum per row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.student_attraction.graph import Affinities


def attraction(affinities: Affinities, targets: Tensor, sources: Tensor, dof: float) -> Tensor:
    """Return the attractive forces; see the package."""
    rows, difference = _edges(affinities, targets, sources)
    base = 1 + (difference**2).sum(1) / dof
    pull = (affinities.weights.double() / base)[:, None] * difference
    forces = torch.zeros(targets.shape, dtype=torch.float64, device=targets.device)
    return forces.index_add_(0, rows, pull).to(targets.dtype)


def attraction_cost(affinities: Affinities, targets: Tensor, sources: Tensor, dof: float) -> Tensor:
    """Return the attractive part of the cost of every row; see the package."""
    rows, difference = _edges(affinities, targets, sources)
    cost = dof * affinities.weights.double() * torch.log1p((difference**2).sum(1) / dof)
    return torch.zeros(len(targets), dtype=torch.float64, device=targets.device).index_add_(0, rows, cost)


def _edges(affinities: Affinities, targets: Tensor, sources: Tensor) -> tuple[Tensor, Tensor]:
    rows = torch.repeat_interleave(affinities.offsets.diff())
    return rows, targets[rows].double() - sources[affinities.neighbours.long()].double()
