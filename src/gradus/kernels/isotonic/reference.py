"""Isotonic regression a row at a time, on any device."""

from __future__ import annotations

import torch
from torch import Tensor


def nonincreasing(rows: Tensor) -> Tensor:
    """Return the nearest sequences that never rise; see the package."""
    fitted = [_fitted(row) for row in rows.tolist()]
    return torch.tensor(fitted, dtype=rows.dtype, device=rows.device).reshape(rows.shape)


def _fitted(row: list[float]) -> list[float]:
    pools: list[tuple[float, int]] = []
    for number in row:
        total, length = number, 1
        while pools and pools[-1][0] / pools[-1][1] <= total / length:
            before, count = pools.pop()
            total, length = total + before, length + count
        pools.append((total, length))
    return [total / length for total, length in pools for _ in range(length)]
