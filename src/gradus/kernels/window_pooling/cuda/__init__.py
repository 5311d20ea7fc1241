"""Pooling on a GPU: every variant by the same three loops in Triton, with no atomic sums, the same bits in every frame.

Forward a program folds a tile of windows. Backward it goes to the windows that hold each position of a tile, whose
upstream gradients it gathers: nothing is written twice. As many positions as a stride takes are worked on together, for
they are held by the same few windows. What a window was folded to, where a variant wants it again, is folded once more:
into memory of its own where windows overlap, so that they are not folded for each of their positions.

The floor is the bytes of the input and the values, backward of the gradients and what is read of the three, over the
memory's bandwidth; taps that windows share come from the cache.

Windows that are drawn for each plane are the reference's: of these no kernel is written yet. Ranks are counted, by
m (m - 1) comparisons for m taps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradus.kernels.window_pooling import reference
from gradus.kernels.window_pooling.call import Call, Gradients, Pooled, winner_dtype
from gradus.kernels.window_pooling.cuda.binding import fields_of
from gradus.kernels.window_pooling.cuda.frame import Frame

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling.variant import Variant


def forward(variant: Variant, call: Call, *, keep: bool) -> Pooled:
    """Pool; see the package for the contract."""
    if call.positions is not None:
        return reference.forward(variant, call, keep=keep)
    frame = Frame(variant, call)
    value = frame.empty_output(call.x.dtype)
    aside = frame.empty_output(frame.dtype) if variant.puts_aside and keep else None
    winner = frame.empty_output(winner_dtype(frame.taps)) if variant.names_winner and keep else None
    if value.numel():
        frame.fold(value, aside, winner, None, 0)
    return Pooled(value, aside, winner)


def backward(variant: Variant, call: Call, upstream: Tensor, pooled: Pooled, *, learn: bool) -> Gradients:
    """Return the gradients; see the package for the contract."""
    if call.positions is not None:
        return reference.backward(variant, call, upstream, pooled, learn=learn)
    frame = Frame(variant, call)
    gradient = frame.empty_input()
    other = frame.empty_input() if variant.second_input else None
    of_weights = torch.zeros_like(call.weights) if learn and call.weights is not None else None
    if not upstream.numel():
        return gradient.zero_(), None if other is None else other.zero_(), of_weights
    states, apart = None, upstream.numel()
    if variant.recalls and (learn or not frame.holds_once):
        states = upstream.new_empty((fields_of(variant), apart), dtype=frame.dtype)
        frame.fold(None, None, None, states, apart)
    value = frame.laid_out(pooled.value) if variant.reads_value else None
    aside, winner = (None if kept is None else frame.laid_out(kept) for kept in pooled[1:])
    kept = (frame.laid_out(upstream), value, aside, winner, states, apart)
    if gradient.numel():
        frame.gather(kept, (gradient, other))
    if of_weights is not None:
        sums = kept[0].new_zeros((frame.taps, apart), dtype=frame.dtype) if variant.ranks else frame.empty_sums()
        frame.learn(kept, sums)
        found = sums.sum(1 if variant.ranks else 0, dtype=torch.float64)
        found = found if of_weights.numel() == len(found) else found.sum()
        of_weights.copy_(found.reshape(of_weights.shape))
    return gradient, other, of_weights
