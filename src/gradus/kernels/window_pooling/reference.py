"""Pooling in plain torch, on any device: every window written out, one axis of taps. Its gradient is autograd's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from gradus.kernels.window_pooling.call import Call, Gradients, Pooled, winner_dtype
from gradus.kernels.window_pooling.windows import ABSENT

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling.variant import Variant


def forward(variant: Variant, call: Call, *, keep: bool) -> Pooled:
    """Pool; see the package for the contract."""
    with torch.no_grad():
        found = pooled(variant, call)
    winner = None if found.winner is None or not keep else found.winner.to(winner_dtype(call.taps))
    return Pooled(found.value, found.aside if keep else None, winner)


def backward(variant: Variant, call: Call, upstream: Tensor, _: Pooled, *, learn: bool) -> Gradients:
    """Return the gradients; see the package for the contract."""
    # an operator's implementation runs below autograd, which is on in a thread of its own
    with ThreadPoolExecutor(1) as apart:
        found = apart.submit(_by_autograd, variant, call, upstream, _stream_of(call.x)).result()
    return found[0], found[1] if variant.second_input else None, found[2] if learn else None


def _by_autograd(variant: Variant, call: Call, upstream: Tensor, stream: Any) -> Gradients:
    """Return the gradients of the input, the second input and the weights, None where they are not there."""
    with stream, torch.enable_grad():
        x = call.x.detach().requires_grad_()
        given = [None if t is None else t.detach().requires_grad_() for t in (call.other, call.weights)]
        value = pooled(variant, replace(call, x=x, other=given[0], weights=given[1])).value
        wanted = [x, *(t for t in given if t is not None)]
        found = iter(torch.autograd.grad(value, wanted, upstream, allow_unused=True, materialize_grads=True))
    of_x, (of_other, of_weights) = next(found), (None if t is None else next(found) for t in given)
    return of_x, of_other, of_weights


def _stream_of(x: Tensor) -> Any:
    return torch.cuda.stream(torch.cuda.current_stream(x.device)) if x.is_cuda else nullcontext()


def pooled(variant: Variant, call: Call) -> Pooled:
    """Return what every window comes to, differentiable with respect to everything in ``call``."""
    wide = torch.float32 if call.x.dtype in (torch.float16, torch.bfloat16) else call.x.dtype
    values, present = windows_of(call.x.to(wide), call, variant.padding)
    other = None if call.other is None else windows_of(call.other.to(wide), call, variant.padding)[0]
    found: Pooled = variant.reference(values, present, call.with_windows(other, wide))
    return Pooled(found.value.to(call.x.dtype), found.aside, found.winner)


def windows_of(x: Tensor, call: Call, padding: float) -> tuple[Tensor, Tensor]:
    """Return (samples, channels, windows..., taps) of ``x``, and which of them lie inside it."""
    tables = call.tables()
    axes = len(tables)
    if tables[0].ndim == 3:
        return _drawn_windows(x, tables, padding)
    present = torch.ones((), dtype=torch.bool, device=x.device)
    for axis, table in enumerate(tables):
        # the axes so far: samples, channels, (windows, taps) of each axis done, the rest
        at = 2 + 2 * axis
        flat = x.index_select(at, table.clamp(min=0).reshape(-1))
        x = flat.reshape(*x.shape[:at], *table.shape, *x.shape[at + 1 :])
        present = present[..., None, None] & (table != ABSENT)
    order = [2 + 2 * a for a in range(axes)] + [3 + 2 * a for a in range(axes)]
    x = x.permute(0, 1, *order).flatten(2 + axes)
    present = present.permute(*(o - 2 for o in order)).flatten(axes).expand(x.shape)
    return x.masked_fill(~present, padding), present


def _drawn_windows(x: Tensor, tables: tuple[Tensor, ...], padding: float) -> tuple[Tensor, Tensor]:
    samples, channels = x.shape[:2]
    sizes, planes = x.shape[2:], samples * channels
    flat = torch.zeros((1, *(1,) * (2 * len(tables))), dtype=torch.int64, device=x.device)
    present = torch.ones_like(flat, dtype=torch.bool)
    for axis, table in enumerate(tables):
        shape = [len(table)] + [1] * (2 * len(tables))
        shape[1 + axis], shape[1 + len(tables) + axis] = table.shape[1], table.shape[2]
        flat = flat * sizes[axis] + table.clamp(min=0).reshape(shape)
        present = present & (table != ABSENT).reshape(shape)
    present = present.expand(flat.shape)
    outputs = flat.shape[1 : 1 + len(tables)]
    flat = flat.expand(planes, *flat.shape[1:]).reshape(planes, -1)
    found = x.reshape(planes, -1).gather(1, flat).reshape(samples, channels, *outputs, -1)
    present = present.expand(planes, *present.shape[1:]).reshape(found.shape)
    return found.masked_fill(~present, padding), present
