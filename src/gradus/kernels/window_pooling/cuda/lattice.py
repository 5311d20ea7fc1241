"""What the loops read of a geometry: kept on the device, for it is the same in every call with an input of a size."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from gradus.kernels.window_pooling.call import over_three_axes
from gradus.kernels.window_pooling.constants import constants_along_axes
from gradus.kernels.window_pooling.windows import ABSENT, Bins, Windows

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from gradus.kernels.window_pooling.variant import Constant
    from gradus.kernels.window_pooling.windows import Geometry, Ints

NOTHING: Ints = (0, 0, 0)


class Lattice(NamedTuple):
    """A geometry over three axes, for inputs of one size; the first seven as in ``binding.Setting``.

    Attributes
    ----------
    sizes, counts, cells : how many positions, windows, and cells of a stride there are along each axis
    constants : the windows' constants along each axis, one axis after the other, floating point
    positions : for each axis (windows, taps), int32, or None where windows slide
    holding : for each axis (positions, reach, 2), int32: the windows that hold a position, and its tap there, or None
    """

    kernel: Ints
    stride: Ints
    before: Ints
    dilation: Ints
    reach: Ints
    earliest: Ints
    holders: Ints
    sizes: Ints
    counts: Ints
    cells: Ints
    constants: Tensor
    positions: tuple[Tensor | None, ...]
    holding: tuple[Tensor | None, ...]


@lru_cache(maxsize=256)
def lattice_of(given: Geometry, axes: Ints, constant: Constant, dtype: torch.dtype, device: torch.device) -> Lattice:
    """Return the lattice of a geometry over an input of these ``axes``."""
    geometry, sizes = over_three_axes(given), (1,) * (3 - len(axes)) + axes
    along = np.concatenate(constants_along_axes(geometry, sizes, constant))
    constants, counts = torch.from_numpy(along).to(device, dtype), tuple(geometry.output(sizes))
    sliding = geometry.sliding(sizes) if isinstance(geometry, Bins) else geometry.padded(sizes)
    if sliding is not None:
        earliest, holders = _holders_of_cells(sliding)
        windows = (sliding.kernel, sliding.stride, sliding.before, sliding.dilation, _reach(sliding), earliest, holders)
        cells = tuple(-(-size // stride) for size, stride in zip(sizes, sliding.stride, strict=True))
        return Lattice(*windows, sizes, counts, cells, constants, (None,) * 3, (None,) * 3)
    positions = geometry.positions(sizes)
    holding = [_holding(p, size) for p, size in zip(positions, sizes, strict=True)]
    kernel, reach = tuple(p.shape[1] for p in positions), tuple(h.shape[1] for h in holding)
    tables = [tuple(torch.from_numpy(t).to(device) for t in kind) for kind in (positions, holding)]
    nothing = (NOTHING,) * 3
    return Lattice(kernel, *nothing, reach, NOTHING, NOTHING, sizes, counts, NOTHING, constants, *tables)


def _reach(windows: Windows) -> Ints:
    """Return how many windows may hold a position: those that begin where it does, or before and not too far."""
    each = zip(windows.kernel, windows.stride, windows.dilation, strict=True)
    return tuple((dilation * (kernel - 1)) // stride + 1 for kernel, stride, dilation in each)


def _holders_of_cells(windows: Windows) -> tuple[Ints, Ints]:
    """Return the first window that holds a position of the first cell, which may be negative, and how many do."""
    earliest, holders = [], []
    for kernel, stride, before, dilation in zip(
        windows.kernel, windows.stride, windows.before, windows.dilation, strict=True
    ):
        first = -((dilation * (kernel - 1) - before) // stride)
        earliest.append(first)
        holders.append((stride - 1 + before) // stride - first + 1)
    return tuple(earliest), tuple(holders)


def _holding(positions: NDArray[np.int32], size: int) -> NDArray[np.int32]:
    """Return for each position the windows that hold it, and which tap it is there."""
    window, tap = (positions != ABSENT).nonzero()
    position = positions[window, tap]
    order = np.argsort(position, kind="stable")
    window, tap, position = window[order], tap[order], position[order]
    number = np.arange(len(position)) - np.searchsorted(position, position)
    found = np.full((size, int(number.max(initial=0)) + 1, 2), ABSENT, np.int32)
    found[position, number] = np.stack([window, tap], axis=1)
    return found
