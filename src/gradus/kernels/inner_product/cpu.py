"""The inner product on one thread: a point is small, and waking another thread would take longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradus.kernels.compilation import compiled

if TYPE_CHECKING:
    from torch import Tensor


def inner_product(left: Tensor, right: Tensor) -> float:
    """Return the inner product; see the package."""
    one, other = (np.ascontiguousarray(part.detach().numpy()).ravel() for part in (left, right))
    return float(_inner_product(one, other))


@compiled(fastmath={"reassoc", "contract"})
def _inner_product(left: np.ndarray, right: np.ndarray) -> float:
    total = 0.0
    for i in range(len(left)):
        total += np.float64(left[i]) * np.float64(right[i])
    return total
