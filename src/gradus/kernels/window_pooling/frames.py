"""How the memory of inputs of one shape is read, worked out once for all calls with them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradus.kernels.large_pages import in_large_pages
from gradus.kernels.window_pooling import entries, staging
from gradus.kernels.window_pooling.call import over_three_axes
from gradus.kernels.window_pooling.plan import Plan, placed_plan, plan_of
from gradus.kernels.window_pooling.signatures import lanes_of
from gradus.kernels.window_pooling.team import Stops, even, guided

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from gradus.kernels.window_pooling.call import Call
    from gradus.kernels.window_pooling.variant import Constant
    from gradus.kernels.window_pooling.windows import Geometry, Ints

_HALVES = (torch.float16, torch.bfloat16)
# so many bytes of planes that were laid side by side stay in the second level of the cache beside their windows
MOST_BYTES = 1_048_576
# at least, and at most, so many planes are laid side by side
FEWEST, MOST = 16, 32


@dataclass(frozen=True)
class Frame:
    """How the memory of one call is read: planes one after the other, or channels side by side.

    Attributes
    ----------
    kind : of the loops, "lanes", "tiles" or "planes"
    shape, outputs : of the input and of what is found for its windows
    dtype : that is computed in
    format : of memory
    plan : of the windows
    weights : zeros, one for each tap, where none are given
    places : the numbers of a task (see ``entries``) that are the same in every call
    """

    kind: str
    shape: torch.Size
    outputs: Ints
    dtype: torch.dtype
    format: torch.memory_format
    plan: Plan
    weights: NDArray[Any]
    places: Ints

    @property
    def taps(self) -> int:
        """How many positions a window has at most."""
        return len(self.weights)

    @property
    def double(self) -> bool:
        """Whether float64 is computed with."""
        return self.dtype == torch.float64

    @cached_property
    def size(self) -> int:
        """How many numbers the input has."""
        return self.shape.numel()

    @cached_property
    def units(self) -> tuple[int, int]:
        """How many units of work there are, and how many of them are worked on together."""
        group = int(self.plan.numbers[staging.GROUP])
        if self.kind == "lanes":
            return self.shape[0] * -(-self.shape[1] // group), 1
        return self.shape[0] * self.shape[1], group

    def stops(self, threads: int) -> Stops:
        """Return how the units of work are divided among so many threads."""
        units, step = self.units
        groups = -(-units // step)
        stops = (guided if self.kind == "lanes" else even)(groups, threads)
        return Stops([min(stop * step, units) for stop in stops])

    def empty_output(self, dtype: torch.dtype) -> Tensor:
        """Return memory for a number of each window."""
        return in_large_pages(torch.empty(self.outputs, dtype=dtype, memory_format=self.format))

    def empty_input(self) -> Tensor:
        """Return memory for a gradient."""
        return in_large_pages(torch.empty(self.shape, dtype=self.dtype, memory_format=self.format))

    def empty_sums(self) -> Tensor:
        """Return zeros, a register for each weight, that each group of units adds its share of the gradient to."""
        units, step = self.units
        return torch.zeros((-(-units // step), self.taps, lanes_of(self.double)), dtype=self.dtype)

    def laid_out(self, tensor: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """Return ``tensor`` in the type that is computed in, or another, and in this layout, copied only if need be."""
        return tensor.detach().to(dtype or self.dtype).contiguous(memory_format=self.format)


def frame_of(call: Call, constant: Constant) -> Frame:
    """Return the frame of a call; ``constant``: of the variant."""
    x = call.x
    if call.positions is None:
        return _frame(x.shape, x.dtype, _channels_last(x), call.geometry, constant)
    dtype = _computed_in(x.dtype)
    tables = [p.to(torch.int32).numpy() for p in call.positions]
    missing = [np.zeros((1, 1, 1), np.int32)] * (3 - len(tables))
    sizes = (1,) * (3 - len(tables)) + call.sizes
    plan = placed_plan(sizes, missing + tables, constant, np.float64 if dtype == torch.float64 else np.float32)
    outputs = (*x.shape[:2], *call.output_sizes)
    return Frame("planes", x.shape, outputs, dtype, torch.contiguous_format, *_filled(plan))


@lru_cache(maxsize=256)
def _frame(shape: torch.Size, dtype: torch.dtype, lanes: bool, geometry: Geometry, constant: Constant) -> Frame:
    dtype, sizes = _computed_in(dtype), tuple(shape[2:])
    side = 0 if lanes else side_by_side(shape, dtype)
    kind = "lanes" if lanes else "tiles" if side else "planes"
    over = (1,) * (3 - len(sizes)) + sizes
    plan = plan_of(over_three_axes(geometry), over, shape[1] if lanes else side, constant, dtype == torch.float64)
    outputs = (*shape[:2], *geometry.output(sizes))
    return Frame(kind, shape, outputs, dtype, _format(len(sizes), lanes), *_filled(plan))


def _computed_in(dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if dtype in _HALVES else dtype


def _format(axes: int, lanes: bool) -> torch.memory_format:
    if not lanes:
        return torch.contiguous_format
    return torch.channels_last if axes == 2 else torch.channels_last_3d


def _filled(plan: Plan) -> tuple[Plan, NDArray[Any], Ints]:
    """Return the plan, weights that nobody reads, and the numbers of a task that tell where both are."""
    weights = np.zeros(int(plan.numbers[staging.TAPS]), plan.constants.dtype)
    places = [0] * entries.SIZE
    lines = (entries.NUMBERS, entries.STARTS, entries.TABLES, entries.CONSTANTS, entries.WEIGHTS)
    arrays: tuple[NDArray[Any], ...] = (*plan, weights)
    for number, line in zip(lines, arrays, strict=True):
        places[2 * number : 2 * number + 2] = line.ctypes.data, len(line)
    return plan, weights, tuple(places)


def side_by_side(shape: torch.Size, dtype: torch.dtype) -> int:
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
