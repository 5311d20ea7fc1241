"""A network as a graph of layers, with the shape of what each passes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

# layers of these packages are taken as they are; other modules are looked into
LAYERS = ("torch.nn.", "gradus.layers.")


class LayerTracer(fx.Tracer):
    """Records the calls of layers."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Return whether a module is a layer."""
        return f"{type(m).__module__}.".startswith(LAYERS) and not isinstance(m, nn.Sequential)


def traced(model: nn.Module, example: Tensor) -> fx.GraphModule:
    """Return the graph of ``model``, which shares its modules; each node's shape is in ``node.meta["tensor_meta"]``.

    Raises
    ------
    InputError : if the way through the network depends on the data, so that it has no graph
    """
    try:
        graph = LayerTracer().trace(model)
    except (fx.proxy.TraceError, TypeError, ValueError) as error:
        raise InputError(
            f"{type(model).__name__} has no graph of layers ({error}): its forward must not branch on the data"
        ) from error
    module = fx.GraphModule(model, graph)
    with torch.no_grad():
        ShapeProp(module).propagate(example)
    return module


def shape_of(node: fx.Node) -> torch.Size | None:
    """Return the shape of a node's tensor; None where it is not one tensor."""
    shape = getattr(node.meta.get("tensor_meta"), "shape", None)
    return shape if isinstance(shape, torch.Size) else None
