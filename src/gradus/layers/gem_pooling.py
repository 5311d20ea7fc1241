"""Generalised-mean pooling, whose exponent is learned."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from gradus.kernels.register_functions import exponential, logarithm, power, ratio
from gradus.kernels.registers import chosen
from gradus.kernels.window_pooling import COUNT, Pooled, Variant
from gradus.layers.given_numbers import learned, positive
from gradus.layers.operators import Inputs, Operator
from gradus.layers.sliding import SlidingPool, pooled

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling import Call, Geometry
    from gradus.layers.axes import Size
    from gradus.layers.geometry import Padding


def gem_start(settings: Any) -> Any:
    """Nothing yet."""
    return 0.0, 0.0


def gem_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """The largest value, by which all are scaled."""
    kept = chosen(x == -math.inf, 0.0, chosen(x < settings[0], settings[0], x))
    return chosen((kept > state[0]) | (kept != kept), kept, state[0]), state[1]


def gem_turn(state: Any, extra: Any, settings: Any) -> Any:
    """Keep the largest, sum from 0."""
    return state[0], 0.0


def gem_fold_again(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """Add the power; what lies outside has none."""
    kept = chosen(x < settings[0], settings[0], x)
    size = chosen((kept > 0.0) & (state[0] > 0.0), ratio(kept, state[0]), 1.0)
    return state[0], state[1] + chosen(x == -math.inf, 0.0, power(size, settings[2]))


def gem_finish(state: Any, constant: Any, extra: Any, settings: Any) -> Any:
    """The root of the mean; NaN for an exponent of 0 or NaN, which a diverged training may come to."""
    mean = chosen(state[1] > 0.0, state[1], 1.0) / constant
    return state[0] * exponential(logarithm(mean) / settings[2]) + 0.0 / settings[2], 0.0, 0.0


def gem_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """Upstream times r^(p - 1) over their number, r = x / y; nothing below the least value.

    To the exponent y r^p log(r) / p: the mean of r^p is 1, so that the other term of its derivative is none.
    """
    kept = chosen(x < settings[0], settings[0], x)
    size = chosen((kept > 0.0) & (window.value > 0.0), ratio(kept, window.value), 1.0)
    share = window.upstream / window.constant * power(size, settings[2] - 1.0)
    of_power = chosen(x == -math.inf, 0.0, share * kept * logarithm(size) / settings[2])
    return chosen(x >= settings[0], share, 0.0), of_power


def gem_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The same in torch."""
    assert call.weights is not None
    power = call.weights.reshape(())
    kept = values.clamp(min=call.settings[0])
    scale = kept.masked_fill(~present, 0).detach().amax(-1, keepdim=True)
    raised = ((kept / scale).log() * power).exp().masked_fill(~present, 0)
    mean = raised.sum(-1) / present.sum(-1)
    return Pooled(scale[..., 0] * mean ** (1 / power))


GEM = Operator(
    Variant(
        "gem_pool",
        gem_reference,
        gem_start,
        gem_fold,
        gem_finish,
        gem_share,
        padding=-math.inf,
        turn=gem_turn,
        fold_again=gem_fold_again,
        two_passes=True,
        reads_input=True,
        reads_value=True,
        learns=True,
        constant=COUNT,
    )
)


def gem_pool(x: Tensor, power: Tensor, geometry: Geometry, *, least: float = 1e-6) -> Tensor:
    """Return (mean x^p)^(1/p) of each window, values below ``least`` raised to it (Radenovic, Tolias & Chum 2018).

    Parameters
    ----------
    power : one positive number in a tensor, which gets a gradient; 1 is the mean, infinity the maximum
    least : positive; values below it count as it, and get no gradient

    Raises
    ------
    InputError : if ``power`` is not one number, or ``least`` is not positive

    Examples
    --------
    >>> from gradus.layers import windows
    >>> gem_pool(torch.tensor([[[1.0, 7.0]]]), torch.tensor([2.0]), windows(1, 2))
    tensor([[[5.]]])
    """
    return pooled(GEM, x, Inputs(geometry, (positive("least", least),), weights=learned("power", power)))


class _GeMPool(SlidingPool):
    """The generalised mean of each window; ``power`` is learned, starting from what is given here."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Padding = 0,
        dilation: Size = 1,
        *,
        ceil_mode: bool = False,
        power: float = 3.0,
        least: float = 1e-6,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)
        self.power = nn.Parameter(torch.tensor([positive("power", power)]))
        self.least = positive("least", least)

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        return gem_pool(x, self.power, self.windows, least=self.least)


class GeMPool1d(_GeMPool):
    """The generalised mean on a line."""

    axes: ClassVar[int] = 1


class GeMPool2d(_GeMPool):
    """The generalised mean in a plane."""

    axes: ClassVar[int] = 2


class GeMPool3d(_GeMPool):
    """The generalised mean in space."""

    axes: ClassVar[int] = 3
