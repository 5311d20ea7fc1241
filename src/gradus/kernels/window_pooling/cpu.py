"""Pooling on a processor: memory laid out, work shared among threads, the compiled loops called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from gradus.kernels.window_pooling import entries
from gradus.kernels.window_pooling.call import Call, Gradients, Pooled, winner_dtype
from gradus.kernels.window_pooling.entries import entry
from gradus.kernels.window_pooling.frames import frame_of
from gradus.kernels.window_pooling.specialise import pullback, reduction
from gradus.kernels.window_pooling.tasks import Repeated, Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.kernels.window_pooling.variant import Variant


def forward(variant: Variant, call: Call, *, keep: bool) -> Pooled:
    """Pool; see the package for the contract."""
    frame = frame_of(call, variant.constant)
    value = frame.empty_output(frame.dtype)
    aside = frame.empty_output(frame.dtype) if variant.puts_aside and keep else None
    winner = frame.empty_output(winner_dtype(frame.taps)) if variant.names_winner and keep else None
    if value.numel():
        task = Task(frame, variant, call)
        task.line(entries.X, frame.laid_out(call.x))
        task.written(entries.VALUE, value)
        task.written(entries.ASIDE, aside)
        task.written(entries.WINNER, winner)
        kinds = {"double": frame.double, "wide": winner is not None and winner.dtype == torch.int32}
        task.run(entry("forward", frame.kind, **kinds).address, reduction(variant, **kinds))
    return Pooled(value.to(call.x.dtype), aside, winner)


def repeated(variant: Variant, call: Call) -> Callable[[Tensor], Tensor] | None:
    """Return the forward pass for inputs as ``call.x``; see the package for the contract."""
    frame = frame_of(call, variant.constant)
    if frame.dtype != call.x.dtype or frame.laid_out(call.x).data_ptr() != call.x.data_ptr() or 0 in frame.outputs:
        return None
    kinds = {"double": frame.double, "wide": False}
    places = entry("forward", frame.kind, **kinds).address, reduction(variant, **kinds)
    return Repeated(frame, variant, call, places)


def backward(variant: Variant, call: Call, upstream: Tensor, pooled: Pooled, *, learn: bool) -> Gradients:
    """Return the gradients; see the package for the contract."""
    frame = frame_of(call, variant.constant)
    gradient = frame.empty_input()
    other = frame.empty_input() if variant.second_input else None
    sums = frame.empty_sums() if learn else None
    if not upstream.numel():
        gradient.zero_()
        other = None if other is None else other.zero_()
    elif gradient.numel():
        task = Task(frame, variant, call, learn=learn)
        winner = pooled.winner
        if variant.reads_input or learn:
            task.line(entries.X, frame.laid_out(call.x))
        task.line(entries.UPSTREAM, frame.laid_out(upstream))
        task.line(entries.VALUE, frame.laid_out(pooled.value) if variant.reads_value else None)
        task.line(entries.ASIDE, None if pooled.aside is None else frame.laid_out(pooled.aside))
        task.line(entries.WINNER, None if winner is None else frame.laid_out(winner, winner.dtype))
        task.written(entries.GRADIENT, gradient)
        task.written(entries.OTHER_GRADIENT, other)
        task.line(entries.SUMS, sums)
        kinds = {"double": frame.double, "wide": winner is not None and winner.dtype == torch.int32}
        task.run(entry("backward", frame.kind, **kinds).address, pullback(variant, **kinds))
    of_weights = None if sums is None or call.weights is None else _added_up(sums, call.weights)
    return gradient.to(call.x.dtype), None if other is None else other.to(call.x.dtype), of_weights


def _added_up(sums: Tensor, weights: Tensor) -> Tensor:
    """Return the gradient of the weights, one for each tap or one for all, from what each group of units found."""
    # in numpy, which adds up in one order on any number of threads
    found = torch.from_numpy(sums.numpy().sum(axis=(0, 2), dtype=np.float64))
    return (found if weights.numel() == len(found) else found.sum()).reshape(weights.shape).to(weights.dtype)
