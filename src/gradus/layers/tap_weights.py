"""The gradient with respect to weights that all windows share: a sum over windows for each tap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradus.kernels.window_pooling.windows import ABSENT
from gradus.layers.fixed_sums import total

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling import Call


def weight_gradient(upstream: Tensor, call: Call) -> Tensor:
    """Return (taps,): the sum over windows of upstream times the value at each tap; outside the input it is 0.

    One pass over the input for each tap, and memory for one tap of all windows.
    """
    tables = call.tables()
    kernel = [t.shape[-1] for t in tables]
    sums = []
    for tap in torch.cartesian_prod(*(torch.arange(k) for k in kernel)).reshape(-1, len(kernel)).tolist():
        x, weighted = call.x, upstream
        for axis, (table, place) in enumerate(zip(tables, tap, strict=True)):
            column = table[:, place]
            x = x.index_select(2 + axis, column.clamp(min=0))
            shape = [1] * x.dim()
            shape[2 + axis] = -1
            weighted = weighted * (column != ABSENT).to(upstream.dtype).reshape(shape)
        sums.append(total(weighted * x, torch.float64 if x.dtype == torch.float64 else torch.float32))
    return torch.stack(sums)
