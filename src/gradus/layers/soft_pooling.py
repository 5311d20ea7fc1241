"""SoftPool: the mean of each window, weighted by its own softmax."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from gradus.kernels.register_functions import exponential
from gradus.kernels.registers import chosen
from gradus.kernels.window_pooling import Pooled, Variant
from gradus.layers.operators import Inputs, Operator
from gradus.layers.sliding import SlidingPool, pooled

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling import Call, Geometry


def soft_start(settings: Any) -> Any:
    """No logit yet."""
    return -math.inf, 0.0, 0.0


def soft_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """The largest logit, which is subtracted from all: no exponential overflows. NaN wins."""
    return chosen((x > state[0]) | (x != x), x, state[0]), state[1], state[2]


def soft_turn(state: Any, extra: Any, settings: Any) -> Any:
    """Keep the largest, sum from 0."""
    return state[0], 0.0, 0.0


def soft_fold_again(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """Add the weight, and the weighted value."""
    inside = x > -math.inf
    weight = chosen(inside, exponential(x - state[0]), 0.0)
    return state[0], state[1] + weight, state[2] + chosen(inside, weight * x, 0.0)


def soft_finish(state: Any, constant: Any, extra: Any, settings: Any) -> Any:
    """The weighted mean."""
    # NaN and infinite logits give NaN, as a softmax does
    return state[2] / chosen(state[1] > 0.0, state[1], 1.0) + (state[0] - state[0]), 0.0, 0.0


def soft_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """Upstream times w (1 + x - y)."""
    inverse = 1.0 / chosen(window.state[1] > 0.0, window.state[1], 1.0)
    mean = window.state[2] * inverse + (window.state[0] - window.state[0])
    share = window.upstream * inverse * exponential(x - window.state[0]) * (1.0 + x - mean)
    return chosen(x > -math.inf, share, 0.0)


def soft_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The same in torch."""
    return Pooled((values.softmax(-1) * values.masked_fill(~present, 0)).sum(-1))


SOFT = Operator(
    Variant(
        "soft_pool",
        soft_reference,
        soft_start,
        soft_fold,
        soft_finish,
        soft_share,
        padding=-math.inf,
        turn=soft_turn,
        fold_again=soft_fold_again,
        two_passes=True,
        reads_input=True,
        recalls=True,
    )
)


def soft_pool(x: Tensor, geometry: Geometry) -> Tensor:
    """Return sum w x of each window with w = softmax(x) (Stergiou, Poppe & Kalliatakis 2021).

    Examples
    --------
    >>> import torch
    >>> from gradus.layers import windows
    >>> soft_pool(torch.tensor([[[2.0, 2.0]]]), windows(1, 2))
    tensor([[[2.]]])
    """
    return pooled(SOFT, x, Inputs(geometry))


class _SoftPool(SlidingPool):
    """The mean of each window, weighted by its own softmax."""

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        return soft_pool(x, self.windows)


class SoftPool1d(_SoftPool):
    """SoftPool on a line."""

    axes: ClassVar[int] = 1


class SoftPool2d(_SoftPool):
    """SoftPool in a plane."""

    axes: ClassVar[int] = 2


class SoftPool3d(_SoftPool):
    """SoftPool in space."""

    axes: ClassVar[int] = 3
