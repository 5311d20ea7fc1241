"""Pooling by rank: a weighted sum of each window's values in order, of which the median is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from gradus.core.errors import InputError
from gradus.kernels.window_pooling import Call
from gradus.kernels.window_pooling.reference import windows_of
from gradus.kernels.window_pooling.windows import ABSENT
from gradus.layers.geometry import as_batch
from gradus.layers.sliding import SlidingPool

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling import Windows
    from gradus.layers.axes import Size


def rank_pool(x: Tensor, weights: Tensor, geometry: Windows) -> Tensor:
    """Return sum_r weights_r x_(r) of each window, x_(1) the largest; windows must not reach over the edge.

    The windows are written out and sorted by torch: as many times the input's memory as a window has positions over the
    stride's area, and not at the memory floor.

    Parameters
    ----------
    weights : one for each position of a window, from the largest value's to the smallest's; gets a gradient

    Raises
    ------
    InputError : if there are not as many weights as positions, or a window reaches over the edge

    Examples
    --------
    >>> from gradus.layers import windows
    >>> rank_pool(torch.tensor([[[1.0, 5.0, 3.0]]]), torch.tensor([0.0, 1.0, 0.0]), windows(1, 3))
    tensor([[[3.]]])
    """
    batch, single = as_batch(x, geometry, geometry.axes)
    values, _ = windows_of(batch, Call(batch, geometry), 0.0)
    if weights.numel() != values.shape[-1]:
        raise InputError(
            f"there are {weights.numel()} weights; one for each of {values.shape[-1]} positions was expected"
        )
    if any((table == ABSENT).any() for table in geometry.positions(tuple(batch.shape[2:]))):
        raise InputError(
            "a window reaches over the edge, where ranks are not defined: give no padding and no ceil mode"
        )
    value = (_descending(values) * weights.reshape(-1)).sum(-1)
    return value[0] if single else value


def _descending(values: Tensor) -> Tensor:
    if torch.onnx.is_in_onnx_export():  # ONNX has no stable sort; of equal values it makes no difference
        return values.topk(values.shape[-1], dim=-1).values
    return values.sort(dim=-1, descending=True, stable=True).values


class _RankPool(SlidingPool):
    """A learned weighted sum of each window's values in order; the mean to begin with."""

    def __init__(self, kernel_size: Size, stride: Size | None = None) -> None:
        super().__init__(kernel_size, stride)
        taps = torch.Size(self.windows.kernel).numel()
        self.weights = nn.Parameter(torch.full((taps,), 1 / taps))

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        return rank_pool(x, self.weights, self.windows)


class _MedianPool(SlidingPool):
    """The median of each window, the mean of the two in the middle where there are two."""

    def __init__(self, kernel_size: Size, stride: Size | None = None) -> None:
        super().__init__(kernel_size, stride)
        taps = torch.Size(self.windows.kernel).numel()
        weights = torch.zeros(taps)
        weights[(taps - 1) // 2] += 0.5
        weights[taps // 2] += 0.5
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        weights: Any = self.weights
        return rank_pool(x, weights.to(x.dtype), self.windows)


class RankPool1d(_RankPool):
    """Rank pooling on a line."""

    axes: ClassVar[int] = 1


class RankPool2d(_RankPool):
    """Rank pooling in a plane."""

    axes: ClassVar[int] = 2


class RankPool3d(_RankPool):
    """Rank pooling in space."""

    axes: ClassVar[int] = 3


class MedianPool1d(_MedianPool):
    """Median pooling on a line."""

    axes: ClassVar[int] = 1


class MedianPool2d(_MedianPool):
    """Median pooling in a plane."""

    axes: ClassVar[int] = 2


class MedianPool3d(_MedianPool):
    """Median pooling in space."""

    axes: ClassVar[int] = 3
