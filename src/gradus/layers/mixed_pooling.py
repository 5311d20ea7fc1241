"""Between max and average pooling, a learned mixture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from gradus.kernels.registers import chosen
from gradus.kernels.window_pooling import COUNT, Pooled, Variant
from gradus.layers import exported_forms
from gradus.layers.given_numbers import learned
from gradus.layers.operators import Inputs, Operator
from gradus.layers.sliding import SlidingPool, pooled

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling import Call, Geometry
    from gradus.layers.axes import Size
    from gradus.layers.geometry import Padding


def mixed_start(settings: Any) -> Any:
    """Nothing yet."""
    return -math.inf, -1.0, 0.0


def mixed_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """The largest, its tap, and the sum of what is inside."""
    taken = (x > state[0]) | (x != x)
    largest = chosen(taken, x, state[0])
    return largest, chosen(taken, tap.number, state[1]), state[2] + chosen(x == -math.inf, 0.0, x)


def mixed_finish(state: Any, constant: Any, extra: Any, settings: Any) -> Any:
    """The mixture."""
    mean = state[2] / constant
    return mean + settings[2] * (state[0] - mean), 0.0, state[1]


def mixed_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """A share for all, and the rest for the largest; to the mixture what lies between them."""
    mean, largest = 1.0 / window.constant, window.winner == tap.number
    common = window.upstream * mean * (1.0 - settings[2])
    inside = chosen(x == -math.inf, 0.0, x)
    return (
        common + chosen(largest, window.upstream * settings[2], 0.0),
        window.upstream * (chosen(largest, x, 0.0) - mean * inside),
    )


def mixed_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The same in torch."""
    assert call.weights is not None
    return mixture(values, present, call.weights.reshape(()))


def mixture(values: Tensor, present: Tensor, share: Tensor) -> Pooled:
    """Return ``share`` of each window's maximum and the rest of its mean."""
    winner = values.detach().argmax(-1)
    largest = values.gather(-1, winner[..., None])[..., 0]
    mean = values.masked_fill(~present, 0).sum(-1) / present.sum(-1)
    return Pooled(mean + share * (largest - mean), winner=winner)


MIXED = Operator(
    Variant(
        "mixed_pool",
        mixed_reference,
        mixed_start,
        mixed_fold,
        mixed_finish,
        mixed_share,
        padding=-math.inf,
        names_winner=True,
        learns=True,
        constant=COUNT,
    ),
    exported_forms.mixed,
)


def mixed_pool(x: Tensor, share: Tensor, geometry: Geometry) -> Tensor:
    """Return a max + (1 - a) mean of each window, a = ``share``, one number that gets a gradient (Lee et al. 2016).

    Raises
    ------
    InputError : if ``share`` is not one number

    Examples
    --------
    >>> from gradus.layers import windows
    >>> mixed_pool(torch.tensor([[[1.0, 3.0]]]), torch.tensor([0.5]), windows(1, 2))
    tensor([[[2.5000]]])
    """
    return pooled(MIXED, x, Inputs(geometry, weights=learned("share", share)))


class _MixedPool(SlidingPool):
    """A learned mixture of maximum and mean, half of each to begin with."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Padding = 0,
        dilation: Size = 1,
        *,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)
        self.share = nn.Parameter(torch.tensor([0.5]))

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        return mixed_pool(x, self.share, self.windows)


class MixedPool1d(_MixedPool):
    """Mixed pooling on a line."""

    axes: ClassVar[int] = 1


class MixedPool2d(_MixedPool):
    """Mixed pooling in a plane."""

    axes: ClassVar[int] = 2


class MixedPool3d(_MixedPool):
    """Mixed pooling in space."""

    axes: ClassVar[int] = 3
