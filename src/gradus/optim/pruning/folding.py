"""Batch norms in evaluation are part of the convolution before them."""

from __future__ import annotations

from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from gradus.optim.pruning.operations import CONVOLUTIONS, NORMS, TRANSPOSED


def fold_norms(model: nn.Module, graph: fx.GraphModule) -> None:
    """Put each batch norm into the convolution or linear layer before it, where nothing else reads that; in place.

    An ``nn.Identity`` takes its place. Layers that are called more than once stay.
    """
    calls = [str(node.target) for node in graph.graph.nodes if node.op == "call_module"]
    for node in graph.graph.nodes:
        before = node.all_input_nodes[0] if len(node.all_input_nodes) == 1 else None
        if node.op != "call_module" or before is None or before.op != "call_module" or len(before.users) != 1:
            continue
        names = str(before.target), str(node.target)
        layer, norm = (model.get_submodule(name) for name in names)
        if any(calls.count(name) != 1 for name in names) or not isinstance(norm, NORMS) or norm.running_mean is None:
            continue
        if isinstance(layer, (*CONVOLUTIONS, *TRANSPOSED)):
            transposed = isinstance(layer, TRANSPOSED)
            if transposed and layer.groups > 1:
                continue
            replace(model, names[0], fuse_conv_bn_eval(layer, norm, transpose=transposed))
        elif isinstance(layer, nn.Linear):
            replace(model, names[0], fuse_linear_bn_eval(layer, norm))
        else:
            continue
        replace(model, names[1], nn.Identity())


def replace(model: nn.Module, name: str, layer: nn.Module) -> None:
    """Put ``layer`` where ``model`` has a module of this name."""
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, layer)
