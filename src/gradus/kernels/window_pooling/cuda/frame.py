"""How one call lies in memory, and the launch of its loops."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import triton

from gradus.kernels.window_pooling.cuda.binding import Setting, bound
from gradus.kernels.window_pooling.cuda.lattice import Lattice, lattice_of

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling.call import Call
    from gradus.kernels.window_pooling.variant import Variant
    from gradus.kernels.window_pooling.windows import Ints

# places beyond do not fit 32 bits
MOST_NARROW = 2**31 - 2**16
# cells of more positions are not taken together
MOST_OF_A_CELL = 8
_HALVES = (torch.float16, torch.bfloat16)


class Tiling(NamedTuple):
    """How large tiles are: numbers, at most so many columns, and warps."""

    numbers: int
    columns: int
    warps: int


# of contiguous tensors and of channels last: on the way there, and back position by position, or cell by cell
WIDE, NARROW, NARROWEST = Tiling(1024, 128, 4), Tiling(256, 128, 2), Tiling(128, 128, 2)
FORWARD, POSITIONS, CELLS = (NARROW, WIDE), (WIDE, WIDE), (NARROWEST, WIDE)


class Frame:
    """A call's tensors as the loops want them: one after the other or channels last, in the type computed in."""

    def __init__(self, variant: Variant, call: Call) -> None:
        x = call.x
        self.dtype = torch.float32 if x.dtype in _HALVES else x.dtype
        self._last, self._recalls = _channels_last(x), variant.recalls
        self._shape, self._outputs = x.shape, (*x.shape[:2], *call.output_sizes)
        self._lattice = lattice_of(call.geometry, call.sizes, variant.constant, self.dtype, x.device)
        weights = None if call.weights is None else call.weights.detach().to(self.dtype).reshape(-1).contiguous()
        settings = _on_device((*call.settings, 0.0, 0.0)[:2], self.dtype, x.device)
        other, extra = (None if t is None else self.laid_out(t) for t in (call.other, call.extra))
        self._given = (self.laid_out(x), other, weights, settings, self._lattice.constants, extra)
        numbers = max(x.numel(), math.prod(self._outputs))
        self._loops = bound(variant, _setting(self._lattice, self.dtype, numbers, weights, channels_last=self._last))

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
        grid = self._grid(self._lattice.counts, FORWARD)[0]
        return torch.empty((grid[0] * grid[1], self.taps), dtype=self.dtype, device=self._given[0].device)

    @property
    def takes_cells(self) -> bool:
        """Whether the positions that a stride takes are worked on together on the way back.

        That pays where windows overlap, or are folded again, and the positions are few enough.
        """
        lattice = self._lattice
        shared = math.prod(lattice.reach) > 1 or self._recalls
        return lattice.positions[0] is None and shared and math.prod(lattice.stride) <= MOST_OF_A_CELL

    @property
    def holds_once(self) -> bool:
        """Whether all positions of a cell are held by one window, which may be folded where it is wanted."""
        return self.takes_cells and math.prod(self._lattice.holders) == 1

    def fold(self, *found: Any) -> None:
        """Fold all windows; found : as in ``folding.fold_windows``."""
        self._run(self._loops.fold_windows, (found,), self._lattice.counts, FORWARD)

    def gather(self, kept: tuple[Any, ...], found: tuple[Any, ...]) -> None:
        """Gather the gradients of all positions; kept, found : as in ``sharing``."""
        lattice = self._lattice
        if self.takes_cells:
            self._run(self._loops.gather_cells, (kept, found), lattice.cells, CELLS)
        else:
            self._run(self._loops.gather_shares, (kept, found), lattice.sizes, POSITIONS)

    def learn(self, kept: tuple[Any, ...], sums: Tensor) -> None:
        """Add up the gradient of the weights; kept, sums : as in ``sharing.learn_weights``."""
        self._run(self._loops.learn_weights, (kept, sums), self._lattice.counts, FORWARD)

    def _run(self, loop: Any, own: tuple[Any, ...], extent: Ints, tilings: tuple[Tiling, Tiling]) -> None:
        lattice, tiling = self._lattice, tilings[self._last]
        grid, tile, rows = self._grid(extent, tilings)
        tables = lattice.holding if extent is lattice.sizes else lattice.positions
        shape = (lattice.sizes, lattice.counts, tables, rows, lattice.cells)
        with torch.cuda.device_of(self._given[0]):
            loop[grid](self._given, *own, shape, *tile, num_warps=tiling.warps, enable_fp_fusion=True)
        # the names that a loop is bound to stay what they are, which Triton would make sure of at every call
        vars(loop).get("used_global_vals", {}).clear()

    def _grid(self, extent: Ints, tilings: tuple[Tiling, Tiling]) -> tuple[Ints, Ints, Ints]:
        halved = 2 if self.dtype == torch.float64 else 1
        return _cut(extent, self._shape[0], self._shape[1], self._last, tilings[self._last], halved)

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
        *lattice[:7],
        sliding=lattice.positions[0] is None,
        double=dtype == torch.float64,
        wide=numbers > MOST_NARROW,
        channels_last=channels_last,
        weights=0 if weights is None else weights.numel(),
    )


@lru_cache(maxsize=1024)
def _cut(
    extent: Ints, samples: int, channels: int, channels_last: bool, tiling: Tiling, halved: int
) -> tuple[Ints, Ints, Ints]:
    """Return how an array of an extent along three axes is cut into tiles.

    Returns
    -------
    How many tiles there are along rows and columns; a tile's outer rows, inner rows, and columns; how many outer rows,
    and columns, there are in all.
    """
    inner = extent[2] if channels_last else extent[1]
    outer = samples * (extent[0] * extent[1] if channels_last else channels * extent[0])
    columns = channels if channels_last else extent[2]
    across = min(triton.next_power_of_2(columns), tiling.columns)
    down = max(tiling.numbers // across // halved, 1)
    inside = _least_waste(inner, down)
    outside = down // inside
    blocks = triton.cdiv(outer, outside) * triton.cdiv(inner, inside)
    return (blocks, triton.cdiv(columns, across)), (outside, inside, across), (outer, columns)


def _least_waste(count: int, most: int) -> int:
    """Return the largest power of two up to ``most`` of those whose multiple that holds ``count`` is smallest."""
    powers = [1 << power for power in range(most.bit_length()) if 1 << power <= most]
    return min(powers, key=lambda power: (-(-count // power) * power, -power))


@lru_cache(maxsize=256)
def _on_device(settings: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor(settings, dtype=dtype, device=device)


def _channels_last(x: Tensor) -> bool:
    if x.dim() not in (4, 5) or x.is_contiguous():
        return False
    return x.is_contiguous(memory_format=torch.channels_last if x.dim() == 4 else torch.channels_last_3d)
