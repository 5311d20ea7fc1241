"""What is known of every channel of a network: who it stands with, and where it is constant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import fx, nn

from gradus.optim.pruning import operations
from gradus.optim.pruning.channels import Channels
from gradus.optim.pruning.constants import of_norm, of_operation, of_weights
from gradus.optim.pruning.tracing import shape_of

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Signal:
    """What a node passes on, (samples, channels, ...).

    Parameters
    ----------
    channels : the number of each channel, (channels,) int64; after flattening a number stands several times
    constants : the value of each channel that is the same everywhere for every input, NaN for the others
    """

    channels: Tensor
    constants: Tensor


@dataclass(frozen=True)
class Weighted:
    """A layer with weights, and its channels before and after."""

    name: str
    layer: nn.Module
    before: Signal
    after: Signal


@dataclass
class Analysis:
    """The channels of a graph and the layers whose weights they index."""

    graph: fx.GraphModule
    channels: Channels = field(default_factory=Channels)
    weighted: list[Weighted] = field(default_factory=list)
    _signals: dict[fx.Node, Signal] = field(default_factory=dict)

    def run(self) -> Analysis:
        """Walk through the graph; return self."""
        calls = [str(node.target) for node in self.graph.graph.nodes if node.op == "call_module"]
        for node in self.graph.graph.nodes:
            layer = self.graph.get_submodule(str(node.target)) if node.op == "call_module" else None
            # a layer that is called twice cannot be changed for one of the calls
            once = calls.count(str(node.target)) == 1
            signal = self._layer(node, layer) if layer is not None and once else self._call(node)
            if signal is None:
                signal = self._opaque(node)
            if signal is not None:
                self._signals[node] = signal
        return self

    def _opaque(self, node: fx.Node) -> Signal | None:
        for before in node.all_input_nodes:
            # the number of samples may be asked for, which pruning does not change
            if before in self._signals and not operations.asks_for_size(node):
                self.channels.keep(self._signals[before].channels)
        shape = shape_of(node)
        if shape is None or len(shape) < 2:
            return None
        new = self.channels.new(shape[1])
        self.channels.keep(new)
        return Signal(new, torch.full((shape[1],), torch.nan))

    def _layer(self, node: fx.Node, layer: nn.Module) -> Signal | None:
        before = self._only_signal(node)
        if before is None:
            return None
        if operations.layer_is_channelwise(layer):
            return Signal(before.channels, self._constants(node, before))
        if isinstance(layer, operations.NORMS) and layer.running_mean is not None:
            after = Signal(before.channels, of_norm(layer, before.constants))
        elif isinstance(layer, nn.Flatten) and layer.start_dim == 1 and layer.end_dim == -1:
            return self._flattened(node, before)
        elif isinstance(layer, (*operations.CONVOLUTIONS, *operations.TRANSPOSED, nn.Linear)):
            weighted = self._weighted(node, layer, before)
            if weighted is None:
                return None
            after = weighted
        else:
            return None
        self.weighted.append(Weighted(str(node.target), layer, before, after))
        return after

    def _weighted(self, node: fx.Node, layer: nn.Module, before: Signal) -> Signal | None:
        shape, groups = shape_of(node), getattr(layer, "groups", 1)
        if shape is None or (isinstance(layer, nn.Linear) and len(shape) != 2):
            return None
        if groups > 1 and isinstance(layer, operations.TRANSPOSED):
            return None
        after = Signal(self.channels.new(shape[1]), of_weights(layer, before.constants))
        if groups > 1:
            inputs, outputs = before.channels.reshape(groups, -1), after.channels.reshape(groups, -1)
            first = outputs[:, :1]
            self.channels.tie(inputs.ravel(), first.expand(inputs.shape).ravel())
            self.channels.tie(outputs.ravel(), first.expand(outputs.shape).ravel())
        return after

    def _call(self, node: fx.Node) -> Signal | None:
        if node.op not in ("call_function", "call_method"):
            return None
        if node.target in operations.JOINING:
            return self._joined(node)
        if node.target in operations.SUMS | operations.PRODUCTS and len(node.all_input_nodes) == 2:
            return self._combined(node)
        before = self._only_signal(node)
        if before is None:
            return None
        if node.target in operations.FLATTENING:
            starts = node.kwargs.get("start_dim", node.args[1] if len(node.args) > 1 else 0)
            return self._flattened(node, before) if starts == 1 and len(node.args) < 3 else None
        if node.target in operations.RESHAPING:
            return self._flattened(node, before) if node.args[-1] == -1 and len(node.args) == 3 else None
        if operations.call_is_channelwise(node) or node.target in operations.SUMS | operations.PRODUCTS:
            return Signal(before.channels, self._constants(node, before))
        return None

    def _combined(self, node: fx.Node) -> Signal | None:
        signals = [self._signals.get(one) for one in node.all_input_nodes]
        shapes = [shape_of(one) for one in node.all_input_nodes]
        if None in signals or len({len(shape or ()) for shape in shapes}) != 1:
            return None
        left, right = (signal for signal in signals if signal is not None)
        if len(left.channels) != len(right.channels):
            return None
        self.channels.tie(left.channels, right.channels)
        constants = of_operation(self.graph, node, {one: s.constants for one, s in self._signals.items()})
        known = ~(left.constants.isnan() | right.constants.isnan())
        if node.target in operations.PRODUCTS:
            known |= (left.constants == 0) | (right.constants == 0)
        return Signal(left.channels, constants.where(known, torch.nan))

    def _joined(self, node: fx.Node) -> Signal | None:
        parts: Any = node.args[0]
        axis = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else 0)
        signals = [self._signals.get(part) for part in parts]
        if axis != 1 or None in signals:
            return None
        known = [signal for signal in signals if signal is not None]
        return Signal(torch.cat([s.channels for s in known]), torch.cat([s.constants for s in known]))

    def _flattened(self, node: fx.Node, before: Signal) -> Signal | None:
        shape = shape_of(node)
        if shape is None or len(shape) != 2 or shape[1] % max(len(before.channels), 1):
            return None
        places = shape[1] // len(before.channels)
        channels, constants = (x.repeat_interleave(places) for x in (before.channels, before.constants))
        return Signal(channels, constants)

    def _constants(self, node: fx.Node, before: Signal) -> Tensor:
        constants = of_operation(self.graph, node, {one: s.constants for one, s in self._signals.items()})
        return constants.where(~before.constants.isnan(), torch.nan)

    def _only_signal(self, node: fx.Node) -> Signal | None:
        signals = [self._signals[one] for one in node.all_input_nodes if one in self._signals]
        return signals[0] if len(signals) == 1 else None
