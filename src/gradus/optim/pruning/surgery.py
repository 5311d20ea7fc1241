"""Which channels can go, and their removal from the layers' weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from gradus.optim.pruning.constants import grouped_weights, varies_over_places
from gradus.optim.pruning.operations import NORMS, TRANSPOSED

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.optim.pruning.analysis import Analysis, Weighted


def removable(analysis: Analysis) -> Tensor:
    """Return for each numbered channel whether it can go, (channels,) bool.

    A channel can go where each layer that mixes it with others ignores it, or sees a constant that its bias can hold.
    One channel of each layer stays, as torch has no layers without.
    """
    channels = analysis.channels
    for weighted in analysis.weighted:
        if isinstance(weighted.layer, NORMS) or getattr(weighted.layer, "groups", 1) > 1:
            continue
        constants = weighted.before.constants
        fixed = constants == 0 if varies_over_places(weighted.layer) else ~constants.isnan()
        ignored = ~(grouped_weights(weighted.layer)[0] != 0).any(dim=2).any(dim=0)
        channels.keep(weighted.before.channels[~(fixed | ignored)])
    free = channels.free()
    for weighted in analysis.weighted:
        if bool(free[weighted.after.channels].all()):
            channels.keep(weighted.after.channels[:1])
            free = channels.free()
    return free


def remove(weighted: Weighted, gone: Tensor) -> None:
    """Take the channels that are ``gone`` out of a layer's weights, and what they did into its bias; in place."""
    layer: Any = weighted.layer
    before, after = ~gone[weighted.before.channels], ~gone[weighted.after.channels]
    if isinstance(layer, NORMS):
        for name in ("weight", "bias", "running_mean", "running_var"):
            _keep(layer, name, after.nonzero().ravel(), axis=0)
        layer.num_features = int(after.sum())
        return
    groups = getattr(layer, "groups", 1)
    if groups == 1:
        _add_to_bias(layer, weighted.before.constants, ~before)
    outputs, inputs = (1, 0) if isinstance(layer, TRANSPOSED) else (0, 1)
    _keep(layer, "weight", after.nonzero().ravel(), axis=outputs)
    _keep(layer, "bias", after.nonzero().ravel(), axis=0)
    if groups == 1:
        _keep(layer, "weight", before.nonzero().ravel(), axis=inputs)
    else:
        # whole groups go
        layer.groups = int(before.reshape(groups, -1)[:, 0].sum())
    rename(layer, int(before.sum()), int(after.sum()))


def _add_to_bias(layer: Any, constants: Tensor, gone: Tensor) -> None:
    sums = grouped_weights(layer)[0].sum(dim=2)
    shift = (sums * constants.nan_to_num(0.0) * gone).sum(dim=1)
    if not shift.any():
        return
    weight = layer.weight
    bias = torch.zeros_like(shift) if layer.bias is None else layer.bias.detach().double().cpu()
    layer.bias = nn.Parameter((bias + shift).to(weight), requires_grad=weight.requires_grad)


def _keep(layer: Any, name: str, indices: Tensor, *, axis: int) -> None:
    old = getattr(layer, name)
    if old is None:
        return
    new = old.detach().index_select(axis, indices.to(old.device)).contiguous()
    setattr(layer, name, nn.Parameter(new, requires_grad=old.requires_grad) if isinstance(old, nn.Parameter) else new)


def rename(layer: Any, inputs: int, outputs: int) -> None:
    """Have a layer say how many channels it takes and makes."""
    if isinstance(layer, nn.Linear):
        layer.in_features, layer.out_features = inputs, outputs
    else:
        layer.in_channels, layer.out_channels = inputs, outputs
