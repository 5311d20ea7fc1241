"""The same numbers laid out in memory in other ways."""

from __future__ import annotations

import torch
from torch import Tensor


def transposed(x: Tensor) -> Tensor:
    """Return equal values whose last two axes are swapped in memory; a strided vector of a vector.

    Examples
    --------
    >>> transposed(torch.zeros(2, 3)).stride()
    (1, 2)
    """
    if x.ndim >= 2:
        return x.transpose(-1, -2).contiguous().transpose(-1, -2)
    return poisoned(x)


def poisoned(x: Tensor) -> Tensor:
    """Return equal values inside a larger buffer of NaN: at an offset, with gaps between the rows and entries.

    Examples
    --------
    >>> poisoned(torch.ones(3)).is_contiguous()
    False
    """
    if not x.ndim or not x.is_floating_point():
        return x.clone()
    buffer = torch.full((x.shape[0] + 2, *x.shape[1:-1], 2 * x.shape[-1] + 3), float("nan"), dtype=x.dtype)
    if x.ndim == 1:
        buffer = buffer.new_full((2 * x.shape[0] + 3,), float("nan"))
        window = buffer[1 : 1 + 2 * x.shape[0] : 2]
    else:
        window = buffer[1:-1][..., 2 : 2 + 2 * x.shape[-1] : 2]
    window.copy_(x)
    return window


def expanded(x: Tensor) -> Tensor:
    """Return the first entry of ``x`` seen from everywhere with stride 0, as the gradient of a sum is.

    Examples
    --------
    >>> expanded(torch.ones(2, 3)).stride()
    (0, 0)
    """
    if not x.numel():
        return x.clone()
    return x.reshape(-1)[:1].clone().reshape((1,) * x.ndim).expand(x.shape)
