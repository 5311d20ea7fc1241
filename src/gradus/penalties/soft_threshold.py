"""The operation under every sparse penalty."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def soft_threshold(point: Tensor, threshold: float | Tensor) -> Tensor:
    """Return sign(x_i) max(|x_i| - threshold, 0), for a threshold that is not negative.

    Examples
    --------
    >>> import torch
    >>> soft_threshold(torch.tensor([3.0, -0.5, 0.0]), 1.0).tolist()
    [2.0, -0.0, 0.0]
    """
    return point.sign() * (point.abs() - threshold).clamp_min(0.0)
