"""Max and min pooling."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from gradus.kernels.registers import chosen
from gradus.kernels.window_pooling import FIRST_TAP, Pooled, Variant
from gradus.layers import exported_forms
from gradus.layers.geometry import as_batch, windows
from gradus.layers.operators import Inputs, Operator
from gradus.layers.sliding import SlidingPool, pooled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from gradus.kernels.window_pooling import Call, Geometry
    from gradus.layers.axes import Size
    from gradus.layers.geometry import Padding


def largest_start(settings: Any) -> Any:
    """Nothing has won yet."""
    return -math.inf, -1.0


def largest_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """A larger value wins, the first of equal ones stays; NaN wins over all."""
    taken = (x > state[0]) | (x != x)
    return chosen(taken, x, state[0]), chosen(taken, tap.number, state[1])


def smallest_start(settings: Any) -> Any:
    """Nothing has won yet."""
    return math.inf, -1.0


def smallest_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """A smaller value wins, the first of equal ones stays; NaN wins over all."""
    taken = (x < state[0]) | (x != x)
    return chosen(taken, x, state[0]), chosen(taken, tap.number, state[1])


def extreme_finish(state: Any, constant: Any, extra: Any, settings: Any) -> Any:
    """The value, and its tap: the first one of the window where all are infinite."""
    return state[0], 0.0, chosen(state[1] >= 0.0, state[1], constant)


def extreme_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """The winner gets everything."""
    return chosen(window.winner == tap.number, window.upstream, 0.0)


def largest_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The same in torch."""
    return _extreme(values, values, present)


def smallest_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The same in torch."""
    return _extreme(values, -values, present)


def _extreme(values: Tensor, scores: Tensor, present: Tensor) -> Pooled:
    # what lies outside comes last even where all is -inf, and the last NaN comes first
    order = torch.nan_to_num(scores.detach(), nan=math.inf, posinf=torch.finfo(scores.dtype).max)
    order = order.masked_fill(~present, -math.inf)
    nan = scores.isnan()
    first = ((order == order.amax(-1, keepdim=True)) & present).to(torch.uint8).argmax(-1)
    last_nan = nan.shape[-1] - 1 - nan.flip(-1).to(torch.uint8).argmax(-1)
    winner = torch.where(nan.any(-1), last_nan, first)
    return Pooled(values.gather(-1, winner[..., None])[..., 0], winner=winner)


MAX = Operator(
    Variant(
        name="max_pool",
        reference=largest_reference,
        start=largest_start,
        fold=largest_fold,
        finish=extreme_finish,
        share=extreme_share,
        padding=-math.inf,
        names_winner=True,
        constant=FIRST_TAP,
    ),
    exported_forms.largest,
)
MIN = Operator(
    Variant(
        name="min_pool",
        reference=smallest_reference,
        start=smallest_start,
        fold=smallest_fold,
        finish=extreme_finish,
        share=extreme_share,
        padding=math.inf,
        names_winner=True,
        constant=FIRST_TAP,
    ),
    exported_forms.smallest,
)


def max_pool(x: Tensor, geometry: Geometry) -> Tensor:
    """Return the maximum of each window of ``geometry``, over as many axes as it has; NaN where a window holds one.

    The gradient goes to the maximum, the first in row-major order of equal ones.

    Examples
    --------
    >>> max_pool(torch.tensor([[[1.0, 3.0, 2.0, 0.0]]]), windows(1, 2))
    tensor([[[3., 2.]]])
    """
    return pooled(MAX, x, Inputs(geometry))


def min_pool(x: Tensor, geometry: Geometry) -> Tensor:
    """Return the minimum of each window of ``geometry``; the gradient goes to it, as with ``max_pool``.

    Examples
    --------
    >>> min_pool(torch.tensor([[[1.0, 3.0, 2.0, 0.0]]]), windows(1, 2))
    tensor([[[1., 0.]]])
    """
    return pooled(MIN, x, Inputs(geometry))


def max_pool_with_indices(x: Tensor, geometry: Geometry) -> tuple[Tensor, Tensor]:
    """Return the maximum of each window, and where it lies as torch counts: int64 into the plane's entries in a row."""
    batch, single = as_batch(x, geometry)
    found = MAX(batch, Inputs(geometry), keep=True)
    assert found.winner is not None
    tables = [torch.from_numpy(table) for table in geometry.positions(tuple(batch.shape[2:]))]
    indices = flat_indices(found.winner, tables, batch.shape[2:])
    return (found.value[0], indices[0]) if single else (found.value, indices)


def flat_indices(winner: Tensor, tables: Sequence[Tensor], sizes: Sequence[int]) -> Tensor:
    """Return where the winning taps lie in a plane of ``sizes``, int64.

    Parameters
    ----------
    winner : (samples, channels, axes...), the number of a tap
    tables : for each axis the position of each tap of each window, (windows, taps), the same for all planes, or
        (planes, windows, taps)
    """
    rest, indices, unit = winner.to(torch.int64), torch.zeros((), dtype=torch.int64, device=winner.device), 1
    plane = torch.arange(winner.shape[0] * winner.shape[1], device=winner.device)
    plane = plane.reshape(*winner.shape[:2], *(1,) * len(sizes))
    for axis in reversed(range(len(sizes))):
        table = tables[axis].to(winner.device, torch.int64)
        count, taps = table.shape[-2:]
        shape = [1] * winner.dim()
        shape[2 + axis] = -1
        first = torch.arange(count, device=winner.device).reshape(shape)
        if table.dim() == 3 and len(table) > 1:
            first = first + plane * count
        indices = indices + unit * table.reshape(-1)[first * taps + rest % taps]
        rest = rest // taps
        unit = unit * sizes[axis]
    return indices


def max_pool2d(
    x: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """``torch.nn.functional.max_pool2d``, call for call.

    Examples
    --------
    >>> max_pool2d(torch.arange(16.0).reshape(1, 1, 4, 4), 2)
    tensor([[[[ 5.,  7.],
              [13., 15.]]]])
    """
    geometry = windows(2, kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)
    return max_pool_with_indices(x, geometry) if return_indices else max_pool(x, geometry)


class _MaxPool(SlidingPool):
    """The maximum of each window; with ``return_indices`` also where it lies, as in torch."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Padding = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)
        self.return_indices = return_indices

    def forward(self, x: Tensor) -> Any:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        return max_pool_with_indices(x, self.windows) if self.return_indices else max_pool(x, self.windows)


class MaxPool1d(_MaxPool):
    """``torch.nn.MaxPool1d``."""

    axes: ClassVar[int] = 1


class MaxPool2d(_MaxPool):
    """``torch.nn.MaxPool2d``."""

    axes: ClassVar[int] = 2


class MaxPool3d(_MaxPool):
    """``torch.nn.MaxPool3d``."""

    axes: ClassVar[int] = 3


class _MinPool(SlidingPool):
    """The minimum of each window."""

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        return min_pool(x, self.windows)


class MinPool1d(_MinPool):
    """The minimum of each window on a line."""

    axes: ClassVar[int] = 1


class MinPool2d(_MinPool):
    """The minimum of each window in a plane."""

    axes: ClassVar[int] = 2


class MinPool3d(_MinPool):
    """The minimum of each window in space."""

    axes: ClassVar[int] = 3
