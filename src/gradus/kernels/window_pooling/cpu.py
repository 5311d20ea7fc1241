"""Pooling on a processor: memory laid out, work shared among threads, the compiled loops called."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradus.kernels.large_pages import in_large_pages
from gradus.kernels.threads import each_part
from gradus.kernels.window_pooling import staging
from gradus.kernels.window_pooling.call import Call, Pooled, over_three_axes, winner_dtype
from gradus.kernels.window_pooling.drivers import driver, flags_of
from gradus.kernels.window_pooling.plan import Plan, placed_plan, plan_of
from gradus.kernels.window_pooling.specialise import pullback, reduction

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from gradus.kernels.window_pooling.variant import Variant

_HALVES = (torch.float16, torch.bfloat16)
# so many bytes of planes that were laid side by side stay in the second level of the cache beside their windows
MOST_BYTES = 1_048_576
# at least, and at most, so many planes are laid side by side
FEWEST, MOST = 16, 32


def forward(variant: Variant, call: Call, *, keep: bool) -> Pooled:
    """Pool; see the package for the contract."""
    layout = _Layout(call, variant)
    value = layout.empty_output(layout.dtype)
    aside = layout.empty_output(layout.dtype) if variant.puts_aside and keep else None
    winner = layout.empty_output(winner_dtype(call.taps)) if variant.names_winner and keep else None
    if value.numel():
        found = (
            layout.line(value),
            layout.line_or_nothing(aside),
            layout.line_or_nothing(winner, np.uint8),
        )
        wide = found[2].dtype == np.int32
        drive = driver(f"forward_{layout.kind}", layout.double, wide)
        fixed = (
            reduction(variant, double=layout.double, wide=wide),
            layout.x,
            layout.other,
            tuple(layout.plan),
            layout.given(variant),
        )
        layout.run(lambda first, last: drive(*fixed, found, (first, last)))
    return Pooled(value.to(call.x.dtype), aside, winner)


def backward(variant: Variant, call: Call, upstream: Tensor, pooled: Pooled) -> tuple[Tensor, Tensor | None]:
    """Return the gradients with respect to the inputs; see the package for the contract."""
    layout = _Layout(call, variant)
    gradient = layout.empty_input()
    other = layout.empty_input() if variant.second_input else None
    if not upstream.numel():
        gradient.zero_()
        return gradient.to(call.x.dtype), None if other is None else other.zero_().to(call.x.dtype)
    if gradient.numel():
        found = (
            layout.line(layout.as_output(upstream)),
            layout.line_or_nothing(layout.as_output(pooled.value) if variant.reads_value else None),
            layout.line_or_nothing(None if pooled.aside is None else layout.as_output(pooled.aside)),
            layout.line_or_nothing(_in_layout(pooled.winner, layout.lanes), np.uint8),
        )
        pulled = (layout.line(gradient), layout.line_or_nothing(other))
        wide = found[3].dtype == np.int32
        drive = driver(f"backward_{layout.kind}", layout.double, wide)
        fixed = (
            pullback(variant, double=layout.double, wide=wide),
            layout.x,
            layout.other,
            tuple(layout.plan),
            layout.given(variant),
        )
        layout.run(lambda first, last: drive(*fixed, found, pulled, (first, last)))
    return gradient.to(call.x.dtype), None if other is None else other.to(call.x.dtype)


class _Layout:
    """How the memory of one call is read: planes one after the other, or channels side by side."""

    def __init__(self, call: Call, variant: Variant) -> None:
        x = call.x
        self.call = call
        self.lanes = _channels_last(x) and call.positions is None
        self.dtype = torch.float32 if x.dtype in _HALVES else x.dtype
        self.double = self.dtype == torch.float64
        self.side_by_side = 0 if self.lanes or call.positions is not None else _side_by_side(x.shape, self.dtype)
        self.kind = "lanes" if self.lanes else "tiles" if self.side_by_side else "planes"
        self.shape = (*x.shape[:2], *call.output_sizes)
        self.x = self.line(self.as_output(x))
        self.other = self.line(self.as_output(call.other)) if call.other is not None else self.nothing()
        self.plan = self._plan(variant)
        self.units, self.step = self._units()

    def _plan(self, variant: Variant) -> Plan:
        call, double = self.call, self.double
        sizes = (1,) * (5 - call.x.dim()) + call.sizes
        if call.positions is not None:
            tables = [p.to(torch.int32).numpy() for p in call.positions]
            missing = [np.zeros((1, 1, 1), np.int32)] * (3 - len(tables))
            return placed_plan(sizes, missing + tables, variant.constant, np.float64 if double else np.float32)
        lanes = call.x.shape[1] if self.lanes else self.side_by_side
        return plan_of(over_three_axes(call.geometry), sizes, lanes, variant.constant, double)

    def _units(self) -> tuple[int, int]:
        samples, channels = self.call.x.shape[:2]
        group = int(self.plan.numbers[staging.GROUP])
        return (samples * -(-channels // group), 1) if self.lanes else (samples * channels, group)

    def given(self, variant: Variant) -> tuple[Any, ...]:
        """Return the weights, the settings, the numbers for each window, what is read, and the padding."""
        call = self.call
        weights = torch.zeros(1, dtype=self.dtype) if call.weights is None else call.weights.detach().to(self.dtype)
        weights = weights.reshape(-1)
        # one for each tap
        weights = weights.expand(int(self.plan.numbers[staging.TAPS])) if len(weights) == 1 else weights
        extra = self.nothing() if call.extra is None else self.line(self.as_output(call.extra))
        settings = (*call.settings, 0.0, 0.0)[:2]
        return weights.contiguous().numpy(), settings, extra, flags_of(variant), variant.padding

    def run(self, work: Callable[[int, int], object]) -> None:
        """Share the units of work among as many threads as they keep busy."""
        groups = -(-self.units // self.step)
        parts = max(1, min(torch.get_num_threads(), groups))
        stops = [min(groups * part // parts * self.step, self.units) for part in range(parts)] + [self.units]
        each_part(list(pairwise(stops)), lambda part: work(*part), self.call.x.numel() * 4)

    def empty_output(self, dtype: torch.dtype) -> Tensor:
        """Return memory for a number of each window."""
        return in_large_pages(torch.empty(self.shape, dtype=dtype, memory_format=self._format()))

    def empty_input(self) -> Tensor:
        """Return memory for a gradient: zeros where it is added to."""
        gradient = torch.empty(self.call.x.shape, dtype=self.dtype, memory_format=self._format())
        return in_large_pages(gradient).zero_() if self.lanes else in_large_pages(gradient)

    def as_output(self, tensor: Tensor) -> Tensor:
        """Return ``tensor`` in the type that is computed in and in this layout, copied only if it has another."""
        return tensor.detach().to(self.dtype).contiguous(memory_format=self._format())

    def _format(self) -> torch.memory_format:
        if not self.lanes:
            return torch.contiguous_format
        return torch.channels_last if self.call.x.dim() == 4 else torch.channels_last_3d

    def line(self, tensor: Tensor) -> NDArray[Any]:
        """Return the memory of a tensor in this layout as one line."""
        if self.lanes:
            tensor = tensor.movedim(1, -1)
        return tensor.reshape(-1).numpy()

    def line_or_nothing(self, tensor: Tensor | None, dtype: Any = None) -> NDArray[Any]:
        """Return the memory as one line, or a line of no entries."""
        return self.nothing(dtype) if tensor is None else self.line(tensor)

    def nothing(self, dtype: Any = None) -> NDArray[Any]:
        """Return a line of no entries."""
        return np.empty(0, dtype or (np.float64 if self.double else np.float32))


def _side_by_side(shape: torch.Size, dtype: torch.dtype) -> int:
    """Return how many planes to lay side by side, or 0: where planes are few, or large."""
    planes, size = shape[0] * shape[1], shape[2:].numel() * dtype.itemsize
    lanes = MOST
    while lanes > FEWEST and (lanes * size > MOST_BYTES or planes < 4 * lanes):
        lanes //= 2
    return lanes if planes >= lanes and lanes * size <= MOST_BYTES else 0


def _channels_last(x: Tensor) -> bool:
    if x.dim() not in (4, 5) or x.is_contiguous():
        return False
    return x.is_contiguous(memory_format=torch.channels_last if x.dim() == 4 else torch.channels_last_3d)


def _in_layout(tensor: Tensor | None, lanes: bool) -> Tensor | None:
    if tensor is None or not lanes:
        return None if tensor is None else tensor.contiguous()
    return tensor.contiguous(memory_format=torch.channels_last if tensor.dim() == 4 else torch.channels_last_3d)
