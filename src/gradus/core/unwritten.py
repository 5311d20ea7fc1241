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
# a matrix whose share of numbers that are not zero is below this is turned one number after the other
FEW = 1 / 64


def zeros(shape: Sequence[int], dtype: torch.dtype, device: torch.device | None = None) -> Tensor:
    """Return zeros in the processor's memory, of which only the pages that are written to take any.

    Whoever reads an untouched page sees the one page of zeros that the system has. On another ``device`` they are plain
    zeros.

    Examples
    --------
    >>> zeros((2, 3), torch.float32).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    if device is not None and device.type != "cpu":
        return torch.zeros(*shape, dtype=dtype, device=device)
    size = math.prod(shape) * dtype.itemsize
    if size < WORTH:
        return torch.zeros(*shape, dtype=dtype)
    # private: pages that are shared are made when they are read
    pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return torch.frombuffer(pages, dtype=dtype).view(*shape)


def transposed(matrix: Tensor) -> Tensor:
    """Return a copy of the transposed matrix, contiguous; where few numbers are not 0, the others take no memory.

    Examples
    --------
    >>> transposed(torch.tensor([[1.0, 0.0, 2.0]])).tolist()
    [[1.0], [0.0], [2.0]]
    """
    if matrix.numel() * matrix.itemsize < WORTH or matrix.count_nonzero() > FEW * matrix.numel():
        return matrix.t().contiguous()
    rows, columns = matrix.nonzero(as_tuple=True)
    copied = zeros((matrix.shape[1], matrix.shape[0]), matrix.dtype)
    copied[columns, rows] = matrix[rows, columns]
    return copied
