"""What ``torch.vmap`` makes of a pooling operator: the batch goes into the samples, or is gone through one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class Places(NamedTuple):
    """Where an operator's arguments are.

    Attributes
    ----------
    x : the input, (samples, channels, axes...)
    samples : all tensors with samples in front, the input among them
    positions : of drawn windows, (planes, windows, taps), or (1, windows, taps) for all planes
    weights : shared by all samples, and so not to be mapped over at once
    learn : whether gradients of weights are wanted, which are each sample's own; None where there is no such argument
    """

    x: int
    samples: tuple[int, ...]
    positions: tuple[int, ...]
    weights: int
    learn: int | None


OF_VALUE = Places(x=0, samples=(0, 1, 3), positions=(4, 5, 6), weights=2, learn=None)
OF_PULLBACK = Places(x=1, samples=(0, 1, 2, 4, 10, 11, 12), positions=(5, 6, 7), weights=3, learn=13)


def rule(operator: Callable[..., tuple[Tensor, ...]], places: Places) -> Callable[..., tuple[Any, Any]]:
    """Return the rule for an operator whose arguments lie at ``places``."""

    def mapped(info: Any, axes: tuple[Any, ...], *given: Any) -> tuple[Any, Any]:
        size = info.batch_size
        if axes[places.weights] is not None or (places.learn is not None and given[places.learn]):
            rows = [operator(*_row(axes, given, index)) for index in range(size)]
            return tuple(torch.stack(found) for found in zip(*rows, strict=True)), (0,) * len(rows[0])
        found = operator(*_folded(size, axes, given, places))
        split = tuple(t.reshape(size, -1, *t.shape[1:]) if t.dim() > 1 else t for t in found)
        return split, tuple(0 if t.dim() > 1 else None for t in found)

    return mapped


def _row(axes: tuple[Any, ...], given: tuple[Any, ...], index: int) -> list[Any]:
    """Return the arguments for one of the batch."""
    return [
        t.select(axis, index) if isinstance(t, torch.Tensor) and axis is not None else t
        for t, axis in zip(given, axes, strict=True)
    ]


def _folded(size: int, axes: tuple[Any, ...], given: tuple[Any, ...], places: Places) -> list[Any]:
    """Return the arguments for the whole batch as samples."""
    folded = list(given)
    for place in places.samples:
        folded[place] = _together(size, given[place], axes[place])
    x, axis = given[places.x], axes[places.x]
    shape = x.shape if axis is None else x.movedim(axis, 0).shape[1:]
    for place in places.positions:
        drawn, axis = given[place], axes[place]
        if drawn is not None and (axis is not None or len(drawn) > 1):  # else the same for all planes
            each = drawn.movedim(axis, 0) if axis is not None else drawn.expand(size, *drawn.shape)
            folded[place] = each.expand(size, shape[0] * shape[1], *each.shape[2:]).flatten(0, 1)
    return folded


def _together(size: int, tensor: Tensor | None, axis: int | None) -> Tensor | None:
    if tensor is None or (axis is None and tensor.dim() == 1):  # nothing, or an empty tensor in the place of nothing
        return tensor
    each = tensor.movedim(axis, 0) if axis is not None else tensor.expand(size, *tensor.shape)
    return each.flatten(0, 1)
