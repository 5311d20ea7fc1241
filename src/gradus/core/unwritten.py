"""Zeros that take no memory where nobody writes: most weights of a sparse solution are never touched."""

from __future__ import annotations

import math
import mmap
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

# bytes from which on pages of its own are worth a call of the system
WORTH = 1 << 20


def zeros(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """Return zeros in the processor's memory, of which only the pages that are written to take any.

    Whoever reads an untouched page sees the one page of zeros that the system has.

    Examples
    --------
    >>> zeros((2, 3), torch.float32).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    size = math.prod(shape) * dtype.itemsize
    if size < WORTH:
        return torch.zeros(*shape, dtype=dtype)
    # private: pages that are shared are made when they are read
    pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return torch.frombuffer(pages, dtype=dtype).view(*shape)
