"""The descent by torch, an entry or a block at a time: right on any device, and slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.gram_lasso import Quadratic


# steps towards the minimum of one block before the next has its turn
BLOCK_STEPS = 50


def gram_lasso(quadratic: Quadratic, tolerance: float, sweeps: int) -> Tensor:
    """Return a point near the minimum; see the package."""
    point, gradient = quadratic.start.clone(), quadratic.gradient.clone()
    hessian = quadratic.hessian.double()
    width = max(len(quadratic.norms), 1)
    separate = len(quadratic.norms) == 0
    blocks = (
        [torch.tensor([j]) for j in range(len(point))]
        if separate
        else [torch.arange(b, len(point), width) for b in range(width)]
    )
    for _ in range(sweeps):
        largest = 0.0
        for index, block in enumerate(blocks):
            own = hessian[block][:, block]
            norm = 0.0 if separate else quadratic.norms[index].item()
            steepness = torch.linalg.eigvalsh(own)[-1].item()
            old = point[block]
            new = _stepped(quadratic, block, (old, gradient[block], own), (steepness, norm))
            moved = new - old
            point[block] = new
            gradient += hessian[:, block] @ moved
            curvature = steepness + quadratic.square[block].max().item()
            largest = max(largest, moved.abs().max().item() * curvature)
        if largest <= tolerance:
            break
    return point


def _stepped(
    quadratic: Quadratic, block: Tensor, around: tuple[Tensor, Tensor, Tensor], scale: tuple[float, float]
) -> Tensor:
    """Return the block's entries near their own minimum: exact where there is only one."""
    old, slopes, own = around
    steepness, norm = scale
    absolute, square = quadratic.absolute[block], quadratic.square[block]
    new = old
    for _ in range(1 if len(old) == 1 and norm == 0 else BLOCK_STEPS):
        pull = steepness * new - slopes - own @ (new - old)
        soft = pull.sign() * (pull.abs() - absolute).clamp_min(0.0)
        length = torch.linalg.vector_norm(soft)
        kept = (1.0 - norm / length.clamp_min(torch.finfo(torch.float64).tiny)).clamp_min(0.0)
        new = kept * soft / (steepness + square)
    return new
