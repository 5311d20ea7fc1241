"""Batch norms in evaluation are part of the convolution before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from gradus.optim.pruning.operations import CONVOLUTIONS, NORMS, TRANSPOSED

if TYPE_CHECKING:
    from collections.abc import Sequence

# torch's and gradus': the largest stays the largest under a map that does not fall
_MAXIMA = ("MaxPool1d", "MaxPool2d", "MaxPool3d")


def fold_norms(model: nn.Module, graph: fx.GraphModule) -> None:
    """Put each batch norm into the convolution or linear layer before it, where nothing else reads that; in place.

    Also where a maximum over windows is between them, if no scale of the norm is negative. An ``nn.Identity`` takes the
    norm's place. Layers that are called more than once stay.
    """
    calls = [str(node.target) for node in graph.graph.nodes if node.op == "call_module"]
    for node in graph.graph.nodes:
        norm = _module(model, node)
        before = _read_alone(node)
        if before is None or not isinstance(norm, NORMS) or norm.running_mean is None:
            continue
        if type(_module(model, before)).__name__ in _MAXIMA and not (norm.affine and bool((norm.weight < 0).any())):
            before = _read_alone(before)
        layer = None if before is None else _module(model, before)
        if layer is None or _is_shared((before, node), calls):
            continue
        fused = _fused(layer, norm)
        if fused is not None:
            assert before is not None
            replace(model, str(before.target), fused)
            replace(model, str(node.target), nn.Identity())


def _module(model: nn.Module, node: fx.Node) -> nn.Module | None:
    return model.get_submodule(str(node.target)) if node.op == "call_module" else None


def _read_alone(node: fx.Node) -> fx.Node | None:
    """Return what a node reads, if that is one node that nothing else reads."""
    before = node.all_input_nodes
    return before[0] if len(before) == 1 and len(before[0].users) == 1 else None


def _is_shared(nodes: Sequence[fx.Node | None], calls: Sequence[str]) -> bool:
    return any(node is not None and calls.count(str(node.target)) != 1 for node in nodes)


def _fused(layer: nn.Module, norm: Any) -> nn.Module | None:
    """Return the layer with the norm in it; None where it cannot be."""
    if isinstance(layer, TRANSPOSED):
        return None if layer.groups > 1 else fuse_conv_bn_eval(layer, norm, transpose=True)
    if isinstance(layer, CONVOLUTIONS):
        return fuse_conv_bn_eval(layer, norm)
    return fuse_linear_bn_eval(layer, norm) if isinstance(layer, nn.Linear) else None


def replace(model: nn.Module, name: str, layer: nn.Module) -> None:
    """Put ``layer`` where ``model`` has a module of this name."""
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, layer)
