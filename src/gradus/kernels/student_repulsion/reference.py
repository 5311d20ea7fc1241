"""What the repulsion computes, on any device: all pairs of a block of targets at a time."""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK = 2**22


def repulsion(targets: Tensor, sources: Tensor, dof: float) -> tuple[Tensor, Tensor]:
    """Return the repulsive forces and the potential; see the package."""
    forces = torch.empty_like(targets)
    potential = torch.empty(len(targets), dtype=torch.float64, device=targets.device)
    rows = max(1, BLOCK // max(1, len(sources)))
    for start in range(0, len(targets), rows):
        part = slice(start, start + rows)
        difference = targets[part, None].double() - sources[None].double()
        base = 1 + (difference**2).sum(2) / dof
        weight = base**-dof
        forces[part] = ((weight / base)[:, :, None] * difference).sum(1).to(targets.dtype)
        potential[part] = weight.sum(1)
    return forces, potential
