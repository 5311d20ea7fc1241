"""Between max and average pooling: a learned mixture, and one that each window decides for itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from gradus.core.errors import InputError
from gradus.kernels.registers import chosen
from gradus.kernels.window_pooling import COUNT, Pooled, Variant
from gradus.layers import exported_forms
from gradus.layers.geometry import as_batch
from gradus.layers.operators import Inputs, Operator
from gradus.layers.sliding import SlidingPool, pooled
from gradus.layers.weighted_pooling import weighted_pool

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling import Call, Windows
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
    """The mixture; how far its two ends lie apart is put aside."""
    mean = state[2] / constant
    return mean + settings[2] * (state[0] - mean), state[0] - mean, state[1]


def gated_finish(state: Any, constant: Any, extra: Any, settings: Any) -> Any:
    """The same by the window's own gate."""
    mean = state[2] / constant
    return mean + extra * (state[0] - mean), state[0] - mean, state[1]


def mixed_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """A share for all, and the rest for the largest."""
    common = (1.0 - settings[2]) / window.constant
    return window.upstream * chosen(window.winner == tap.number, common + settings[2], common)


def gated_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """The same by the window's own gate."""
    common = (1.0 - window.extra) / window.constant
    return window.upstream * (common + chosen(window.winner == tap.number, window.extra, 0.0))


def mixed_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The same in torch."""
    assert call.weights is not None
    return _mixture(values, present, call.weights.reshape(()))


def gated_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The same in torch."""
    assert call.extra is not None
    return _mixture(values, present, call.extra)


def _mixture(values: Tensor, present: Tensor, share: Tensor) -> Pooled:
    winner = values.detach().argmax(-1)
    largest = values.gather(-1, winner[..., None])[..., 0]
    mean = values.masked_fill(~present, 0).sum(-1) / present.sum(-1)
    return Pooled(mean + share * (largest - mean), aside=(largest - mean).detach(), winner=winner)


def _variant(name: str, reference: Any, finish: Any, share: Any, *, gated: bool) -> Variant:
    return Variant(
        name,
        reference,
        mixed_start,
        mixed_fold,
        finish,
        share,
        padding=-math.inf,
        puts_aside=True,
        names_winner=True,
        reads_extra=gated,
        constant=COUNT,
    )


MIXED = Operator(_variant("mixed_pool", mixed_reference, mixed_finish, mixed_share, gated=False), exported_forms.mixed)
GATED = Operator(_variant("gated_pool", gated_reference, gated_finish, gated_share, gated=True), exported_forms.mixed)


def mixed_pool(x: Tensor, share: Tensor, geometry: Windows) -> Tensor:
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
    if share.numel() != 1:
        raise InputError(f"share has shape {tuple(share.shape)}; one number was expected")
    return pooled(MIXED, x, Inputs(geometry, weights=share), geometry.axes)


def gated_pool(x: Tensor, weights: Tensor, geometry: Windows) -> Tensor:
    """Return s max + (1 - s) mean of each window with s = sigmoid(sum_t weights_t x_t) (Lee et al. 2016).

    Examples
    --------
    >>> from gradus.layers import windows
    >>> gated_pool(torch.tensor([[[1.0, 3.0]]]), torch.zeros(2), windows(1, 2))
    tensor([[[2.5000]]])
    """
    batch, single = as_batch(x, geometry, geometry.axes)
    gate = torch.sigmoid(weighted_pool(batch, weights, geometry))
    value = GATED(batch, Inputs(geometry, extra=gate)).value
    return value[0] if single else value


class _MixedPool(SlidingPool):
    """A learned mixture of maximum and mean, half of each to begin with."""

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Padding = 0) -> None:
        super().__init__(kernel_size, stride, padding)
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


class _GatedPool(SlidingPool):
    """A mixture of maximum and mean that a learned filter decides for each window."""

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Padding = 0) -> None:
        super().__init__(kernel_size, stride, padding)
        self.weights = nn.Parameter(torch.zeros(self.windows.kernel))

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        return gated_pool(x, self.weights, self.windows)


class GatedPool1d(_GatedPool):
    """Gated pooling on a line."""

    axes: ClassVar[int] = 1


class GatedPool2d(_GatedPool):
    """Gated pooling in a plane."""

    axes: ClassVar[int] = 2


class GatedPool3d(_GatedPool):
    """Gated pooling in space."""

    axes: ClassVar[int] = 3
