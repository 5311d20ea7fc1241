"""The value of a channel behind a layer, where it is the same everywhere and for every input; NaN where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import fx, nn

from gradus.optim.pruning.operations import TRANSPOSED
from gradus.optim.pruning.tracing import shape_of

if TYPE_CHECKING:
    from torch import Tensor


def of_norm(layer: Any, constants: Tensor) -> Tensor:
    """Return the constants behind a batch norm in evaluation: a weight of 0 makes one of anything."""
    scale = (layer.running_var + layer.eps).rsqrt()
    weight = torch.ones_like(scale) if layer.weight is None else layer.weight.detach()
    bias = torch.zeros_like(scale) if layer.bias is None else layer.bias.detach()
    found: Tensor = ((constants.to(scale) - layer.running_mean) * scale * weight + bias).where(weight != 0, bias)
    return found.double().cpu()


def of_weights(layer: Any, constants: Tensor) -> Tensor:
    """Return the constants behind a convolution or a linear layer, (outputs,) float64.

    An output is constant where each input that it looks at is: of value 0, or of any value where every place of the
    output sees the same weights, which zeros around the image and a transposed convolution prevent.
    """
    weights = grouped_weights(layer)
    groups, _, inputs, _ = weights.shape
    known = constants.reshape(groups, 1, inputs)
    used = (weights != 0).any(dim=3)
    spoilt = known.isnan() | (known != 0) if varies_over_places(layer) else known.isnan()
    values = (weights.sum(dim=3) * known.nan_to_num(0.0)).sum(dim=2).ravel()
    bias = torch.zeros_like(values) if layer.bias is None else layer.bias.detach().double().cpu()
    spoils = (used & spoilt).any(dim=2).ravel()
    found: Tensor = (values + bias).masked_fill(spoils, torch.nan)
    return found


def grouped_weights(layer: Any) -> Tensor:
    """Return a copy of the weights, (groups, outputs of a group, inputs of a group, places) float64."""
    weight: Tensor = layer.weight.detach().double().cpu()
    if isinstance(layer, TRANSPOSED):
        weight = weight.transpose(0, 1)
    groups = getattr(layer, "groups", 1)
    return weight.reshape(groups, weight.shape[0] // groups, weight.shape[1], -1)


def varies_over_places(layer: Any) -> bool:
    """Return whether a constant channel may give an output that is not constant.

    Examples
    --------
    >>> varies_over_places(nn.Conv2d(1, 1, 3)), varies_over_places(nn.Conv2d(1, 1, 3, padding=1))
    (False, True)
    """
    if isinstance(layer, nn.Linear):
        return False
    if isinstance(layer, TRANSPOSED):
        return True
    around: Any = layer._reversed_padding_repeated_twice
    return layer.padding_mode == "zeros" and any(around)


def of_operation(graph: fx.GraphModule, node: fx.Node, constants: dict[fx.Node, Tensor]) -> Tensor:
    """Return what a node makes of constant channels, (channels,) float64; NaN where places differ."""

    def filled(one: fx.Node) -> Any:
        shape = shape_of(one)
        if one not in constants or shape is None:
            return one
        values = constants[one].nan_to_num(0.0).float()
        return values.reshape(1, -1, *(1 for _ in shape[2:])).expand(1, *shape[1:]).contiguous()

    args, kwargs = fx.map_arg(node.args, filled), fx.map_arg(node.kwargs, filled)
    with torch.no_grad():
        if node.op == "call_module":
            result = graph.get_submodule(str(node.target))(*args, **kwargs)
        elif node.op == "call_method":
            result = getattr(args[0], str(node.target))(*args[1:], **kwargs)
        else:
            assert callable(node.target)
            result = node.target(*args, **kwargs)
    rows = result[0].double().flatten(1) if result.ndim > 2 else result[0].double()[:, None]
    first: Tensor = rows[:, 0]
    return first.where((rows == first[:, None]).all(dim=1), torch.nan)
