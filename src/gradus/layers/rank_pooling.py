"""Pooling by rank: a weighted sum of each window's values in order, of which the median is one."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from gradus.core.errors import InputError
from gradus.kernels.registers import chosen
from gradus.kernels.window_pooling import Pooled, Variant
from gradus.kernels.window_pooling.windows import ABSENT
from gradus.layers.average_pooling import sum_start
from gradus.layers.geometry import as_batch, of_one_window
from gradus.layers.given_numbers import learned
from gradus.layers.operators import Inputs, Operator
from gradus.layers.sliding import SlidingPool
from gradus.layers.weighted_pooling import weighted_finish, weighted_share

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling import Call, Windows
    from gradus.layers.axes import Size


def rank_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """Add the value times the weight of its rank."""
    return (state[0] + chosen((tap.weight == 0.0) & (x == x), 0.0, tap.weight * x),)


def rank_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The same in torch."""
    assert call.weights is not None
    weights, ranked = call.weights.reshape(-1), _descending(values)
    return Pooled((ranked.masked_fill((weights == 0) & ranked.isinf(), 0) * weights).sum(-1))


def _descending(values: Tensor) -> Tensor:
    if torch.onnx.is_in_onnx_export():  # ONNX has no stable sort; of equal values it makes no difference
        return values.topk(values.shape[-1], dim=-1).values
    return values.sort(dim=-1, descending=True, stable=True).values


RANK = Operator(
    Variant(
        "rank_pool",
        rank_reference,
        sum_start,
        rank_fold,
        weighted_finish,
        weighted_share,
        reads_input=True,
        learns=True,
        ranks=True,
    )
)


def rank_pool(x: Tensor, weights: Tensor, geometry: Windows) -> Tensor:
    """Return sum_r weights_r x_(r) of each window, x_(1) the largest; windows must not reach over the edge.

    A weight of 0 leaves its value out, infinite or not; NaN in a window makes it NaN. Equal values are ranked in
    row-major order, also for the gradient. Each window of m positions takes m (m - 1) comparisons.

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
    batch, single = as_batch(x, geometry)
    taps = prod(of_one_window(geometry).kernel)
    learned("the weights", weights, tuple(getattr(weights, "shape", ())))
    if weights.numel() != taps:
        raise InputError(f"there are {weights.numel()} weights; one for each of {taps} positions was expected")
    if any((table == ABSENT).any() for table in geometry.positions(tuple(batch.shape[2:]))):
        raise InputError(
            "a window reaches over the edge, where ranks are not defined: give no padding and no ceil mode"
        )
    value = RANK(batch, Inputs(geometry, weights=weights)).value
    return value[0] if single else value


class _RankPool(SlidingPool):
    """A learned weighted sum of each window's values in order; the mean to begin with."""

    def __init__(self, kernel_size: Size, stride: Size | None = None, dilation: Size = 1) -> None:
        super().__init__(kernel_size, stride, dilation=dilation)
        taps = torch.Size(self.windows.kernel).numel()
        self.weights = nn.Parameter(torch.full((taps,), 1 / taps))

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        return rank_pool(x, self.weights, self.windows)


class _MedianPool(SlidingPool):
    """The median of each window, the mean of the two in the middle where there are two."""

    def __init__(self, kernel_size: Size, stride: Size | None = None, dilation: Size = 1) -> None:
        super().__init__(kernel_size, stride, dilation=dilation)
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
