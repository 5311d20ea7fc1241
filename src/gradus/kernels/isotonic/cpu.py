"""Isotonic regression in one sweep a row, with the pools on a stack."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gradus.kernels.compilation import compiled


def nonincreasing(rows: Tensor) -> Tensor:
    """Return the nearest sequences that never rise; see the package."""
    values = np.ascontiguousarray(rows.detach().numpy())
    result = np.empty_like(values)
    _nonincreasing(values, result)
    return torch.from_numpy(result)


@compiled()
def _nonincreasing(rows: np.ndarray, result: np.ndarray) -> None:
    n = rows.shape[1]
    totals, lengths = np.empty(n), np.empty(n, np.int64)
    for i in range(rows.shape[0]):
        pools = 0
        for j in range(n):
            total, length = rows[i, j], 1
            while pools > 0 and totals[pools - 1] / lengths[pools - 1] <= total / length:
                pools -= 1
                total += totals[pools]
                length += lengths[pools]
            totals[pools], lengths[pools] = total, length
            pools += 1
        position = 0
        for pool in range(pools):
            mean = totals[pool] / lengths[pool]
            for _ in range(lengths[pool]):
                result[i, position] = mean
                position += 1
