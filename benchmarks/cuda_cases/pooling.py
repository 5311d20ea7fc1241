"""Pooling layers beside torch's on a GPU: forward and backward, into fresh memory."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch

from benchmarks.cuda_cases.case import Calls, Case
from benchmarks.pooling import PEERS, others

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

# larger than a GPU's cache
SHAPE, SMALL = (256, 64, 56, 56), (32, 16, 14, 14)


def _both(x: Tensor, layer: Callable[[Tensor], Tensor], upstream: Tensor) -> Tensor:
    return torch.autograd.grad(layer(x), x, upstream)[0]


def _prepared(
    ours: Callable[[Tensor], Tensor],
    peer: Callable[[Tensor], Tensor] | None,
    dtype: torch.dtype = torch.float32,
    layout: torch.memory_format = torch.contiguous_format,
    shape: tuple[int, ...] = SHAPE,
) -> Calls:
    x = torch.rand(shape, device="cuda").add_(0.01).to(dtype).contiguous(memory_format=layout).requires_grad_()
    value = ours(x)
    upstream = torch.rand_like(value)
    traffic = 2.0 * (x.nbytes + value.nbytes)
    theirs = None if peer is None else partial(_both, x, peer, upstream)
    return Calls(partial(_both, x, ours, upstream), theirs, traffic)


def _other(name: str) -> Calls:
    return _prepared(others("cuda")[name], None)


CASES = [
    *(
        Case(name, "torch.nn.functional", partial(_prepared, ours, theirs), None if "adaptive" in name else 1.0)
        for name, (ours, theirs, _) in PEERS.items()
    ),
    *(
        Case(f"max 2x2, {what}", "torch.nn.functional", partial(_prepared, *PEERS["max 2x2"][:2], dtype, layout))
        for what, dtype, layout in (
            ("bfloat16", torch.bfloat16, torch.contiguous_format),
            ("channels last", torch.float32, torch.channels_last),
        )
    ),
    # of which a call takes as long as it takes to ask for it
    Case("max 2x2, 32 x 16 x 14 x 14", "torch.nn.functional", partial(_prepared, *PEERS["max 2x2"][:2], shape=SMALL)),
    *(Case(f"{name} 2x2", "-", partial(_other, name)) for name in others("cpu")),
]
