"""How one call lies in memory, and the launch of its loops."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
import triton

from gradus.kernels.window_pooling.cuda.binding import Setting, bound
from gradus.kernels.window_pooling.cuda.lattice import Lattice, lattice_of

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling.call import Call
    from gradus.kernels.window_pooling.variant import Variant
    from gradus.kernels.window_pooling.windows import Ints

# numbers of a tile, its columns at most, and its warps
TILE, MOST_COLUMNS, WARPS = 1024, 128, 4
# places beyond do not fit 32 bits
MOST_NARROW = 2**31 - 2 * TILE
_HALVES = (torch.float16, torch.bfloat16)


class Frame:
    """A call's tensors as the loops want them: one after the other or channels last, in the type computed in."""

    def __init__(self, variant: Variant, call: Call) -> None:
        x = call.x
        self.dtype = torch.float32 if x.dtype in _HALVES else x.dtype
        self._last = _channels_last(x)
        self._shape, self._outputs = x.shape, (*x.shape[:2], *call.output_sizes)
        self._lattice = lattice_of(call.geometry, call.sizes, variant.constant, self.dtype, x.device)
        weights = None if call.weights is None else call.weights.detach().to(self.dtype).reshape(-1).contiguous()
        settings = _on_device((*call.settings, 0.0, 0.0)[:2], self.dtype, x.device)
        other, extra = (None if t is None else self.laid_out(t) for t in (call.other, call.extra))
        self._given = (self.laid_out(x), other, weights, settings, self._lattice.constants, extra)
        numbers = max(x.numel(), math.prod(self._outputs))
        self.loops = bound(variant, _setting(self._lattice, self.dtype, numbers, weights, channels_last=self._last))

    def laid_out(self, tensor: Tensor) -> Tensor:
        """Return a tensor in this layout, copied only if need be."""
        return tensor.detach().contiguous(memory_format=self._format)

    def empty_output(self, dtype: torch.dtype) -> Tensor:
        """Return memory for a number of each window."""
        return self._empty(self._outputs, dtype)

    def empty_input(self) -> Tensor:
        """Return memory for a gradient."""
        return self._empty(self._shape, self._given[0].dtype)

    @property
    def taps(self) -> int:
        """How many positions a window has at most."""
        return math.prod(self._lattice.kernel)

    def empty_sums(self) -> Tensor:
        """Return memory for what each tile of windows adds to the gradient of the weights: (tiles, taps)."""
        grid = _grid(*self._rows_and_columns(self._outputs))[0]
        return torch.empty((grid[0] * grid[1], self.taps), dtype=self.dtype, device=self._given[0].device)

    def over_windows(self, loop: Any, *own: Any) -> None:
        """Run a loop whose tiles are of windows."""
        self._run(loop, own, self._outputs)

    def over_positions(self, loop: Any, *own: Any) -> None:
        """Run a loop whose tiles are of positions."""
        self._run(loop, own, self._shape)

    def _run(self, loop: Any, own: tuple[Any, ...], shape: Ints) -> None:
        rows, columns = self._rows_and_columns(shape)
        grid, tile = _grid(rows, columns)
        lattice = self._lattice
        tables = lattice.holders if shape is self._shape else lattice.positions
        with torch.cuda.device_of(self._given[0]):
            loop[grid](self._given, *own, lattice.sizes, lattice.counts, tables, rows, columns, *tile, num_warps=WARPS)

    def _rows_and_columns(self, shape: Ints) -> tuple[int, int]:
        columns = shape[1] if self._last else shape[-1]
        return math.prod(shape) // columns, columns

    def _empty(self, shape: Ints, dtype: torch.dtype) -> Tensor:
        return torch.empty(shape, dtype=dtype, device=self._given[0].device, memory_format=self._format)

    @property
    def _format(self) -> torch.memory_format:
        if not self._last:
            return torch.contiguous_format
        return torch.channels_last if len(self._shape) == 4 else torch.channels_last_3d


def _setting(
    lattice: Lattice, dtype: torch.dtype, numbers: int, weights: Tensor | None, *, channels_last: bool
) -> Setting:
    return Setting(
        *lattice[:5],
        sliding=lattice.positions[0] is None,
        double=dtype == torch.float64,
        wide=numbers > MOST_NARROW,
        channels_last=channels_last,
        weights=0 if weights is None else weights.numel(),
    )


def _grid(rows: int, columns: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how many tiles there are along rows and columns, and how many of both a tile has."""
    across = min(triton.next_power_of_2(columns), MOST_COLUMNS)
    down = TILE // across
    return (triton.cdiv(rows, down), triton.cdiv(columns, across)), (down, across)


@cache
def _on_device(settings: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor(settings, dtype=dtype, device=device)


def _channels_last(x: Tensor) -> bool:
    if x.dim() not in (4, 5) or x.is_contiguous():
        return False
    return x.is_contiguous(memory_format=torch.channels_last if x.dim() == 4 else torch.channels_last_3d)
