"""What is done to each channel alone, so that a channel may leave it without the others noticing."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import fx

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)

_POINTWISE = (
    *(nn.Identity, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish, nn.Sigmoid),
    *(nn.Tanh, nn.Hardswish, nn.Hardsigmoid, nn.Hardtanh, nn.Softplus, nn.Dropout, nn.Dropout1d, nn.Dropout2d),
    *(nn.Dropout3d, nn.AlphaDropout),
)
# pooling layers, torch's and gradus', whose windows lie in one channel
_POOLS = tuple(f"{kind}Pool" for kind in ("Max", "Min", "Avg", "Sum", "AdaptiveAvg", "AdaptiveMax", "LP", "Lp"))
_POOLS += ("GlobalAvgPool", "GlobalMaxPool", "LogSumExpPool", "SoftPool", "BlurPool", "MaxBlurPool")

_FUNCTIONS = {
    *(torch.relu, functional.relu, functional.relu6, functional.leaky_relu, functional.elu, functional.gelu),
    *(functional.silu, functional.mish, torch.sigmoid, functional.sigmoid, torch.tanh, functional.tanh),
    *(functional.hardswish, functional.hardtanh, functional.softplus, functional.dropout, functional.dropout2d),
    *(functional.max_pool1d, functional.max_pool2d, functional.max_pool3d, functional.avg_pool1d),
    *(functional.avg_pool2d, functional.avg_pool3d, functional.adaptive_avg_pool1d, functional.adaptive_avg_pool2d),
    *(functional.adaptive_avg_pool3d, functional.adaptive_max_pool1d, functional.adaptive_max_pool2d),
}
_METHODS = {"relu", "sigmoid", "tanh", "contiguous"}
SUMS = {operator.add, operator.iadd, operator.sub, torch.add, torch.sub, "add", "add_", "sub"}
PRODUCTS = {operator.mul, operator.imul, torch.mul, "mul", "mul_"}
MEANS = {torch.mean, "mean"}
FLATTENING = {torch.flatten, "flatten"}
RESHAPING = {torch.reshape, "reshape", "view"}
JOINING = {torch.cat, torch.concat, torch.concatenate}


def layer_is_channelwise(layer: nn.Module) -> bool:
    """Return whether a layer without weights treats each channel alone.

    Examples
    --------
    >>> layer_is_channelwise(nn.MaxPool2d(2)), layer_is_channelwise(nn.Softmax(1))
    (True, False)
    """
    name = type(layer).__name__
    pooled = name[:-2] in _POOLS and name[-2:] in ("1d", "2d", "3d") and not list(layer.parameters())
    return type(layer) in _POINTWISE or (pooled and not getattr(layer, "return_indices", False))


def call_is_channelwise(node: fx.Node) -> bool:
    """Return whether a function or a method treats each channel of its one tensor alone."""
    if node.target in MEANS:
        return _dimensions(node) is not None
    return node.target in (_METHODS if node.op == "call_method" else _FUNCTIONS)


def asks_for_size(node: fx.Node) -> bool:
    """Return whether a node is ``x.size(...)`` or ``x.shape``."""
    return node.target == "size" or (node.target is getattr and node.args[1] == "shape")


def _dimensions(node: fx.Node) -> tuple[int, ...] | None:
    # a mean over axes that are counted from the front and behind the channels
    given: Any = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else None)
    dimensions = (given,) if isinstance(given, int) else tuple(given or ())
    return dimensions if dimensions and all(dimension >= 2 for dimension in dimensions) else None
