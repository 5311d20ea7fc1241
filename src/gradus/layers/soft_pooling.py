"""Pooling by exponential weights: log-sum-exp, SoftPool, and LIP, whose logits are given."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from gradus.core.errors import InputError
from gradus.kernels.register_functions import exponential, logarithm
from gradus.kernels.registers import chosen
from gradus.kernels.window_pooling import Pooled, Variant
from gradus.layers.geometry import Padding, as_batch
from gradus.layers.operators import Inputs, Operator
from gradus.layers.sliding import SlidingPool, pooled

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling import Call, Geometry
    from gradus.layers.axes import Size


def soft_start(settings: Any) -> Any:
    """No logit yet."""
    return -math.inf, 0.0, 0.0


def soft_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """The largest logit, which is subtracted from all: no exponential overflows. NaN wins."""
    return chosen((x > state[0]) | (x != x), x, state[0]), state[1], state[2]


def lip_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """The largest of the given logits."""
    z = tap.other
    return chosen((z > state[0]) | (z != z), z, state[0]), state[1], state[2]


def soft_turn(state: Any, extra: Any, settings: Any) -> Any:
    """Keep the largest, sum from 0."""
    return state[0], 0.0, 0.0


def log_fold_again(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """Add the exponential."""
    weight = chosen(x > -math.inf, exponential(settings[0] * (x - state[0])), 0.0)
    weight = chosen(x == state[0], 1.0, weight)
    return state[0], state[1] + weight, state[2]


def log_finish(state: Any, constant: Any, extra: Any, settings: Any) -> Any:
    """The logarithm of the mean."""
    mean = state[1] / constant
    return state[0] + chosen(mean > 0.0, logarithm(mean) / settings[0], 0.0), 0.0, 0.0


def log_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """Upstream times the softmax."""
    return window.upstream * exponential(settings[0] * (x - window.value)) / window.constant


def soft_fold_again(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """Add the weight, and the weighted value."""
    inside = x > -math.inf
    weight = chosen(inside, exponential(x - state[0]), 0.0)
    return state[0], state[1] + weight, state[2] + chosen(inside, weight * x, 0.0)


def lip_fold_again(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """Add the weight, and the weighted value."""
    inside = tap.other > -math.inf
    weight = chosen(inside, exponential(tap.other - state[0]), 0.0)
    return state[0], state[1] + weight, state[2] + chosen(inside, weight * x, 0.0)


def soft_finish(state: Any, constant: Any, extra: Any, settings: Any) -> Any:
    """The weighted mean; the logarithm of the weights' sum is put aside."""
    total = chosen(state[1] > 0.0, state[1], 1.0)
    # NaN and infinite logits give NaN, as a softmax does
    return state[2] / total + (state[0] - state[0]), state[0] + logarithm(total), 0.0


def soft_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """Upstream times w (1 + x - y)."""
    weight = exponential(x - window.aside)
    return chosen(x > -math.inf, window.upstream * weight * (1.0 + x - window.value), 0.0)


def lip_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """Upstream times w, and times w (x - y)."""
    inside = tap.other > -math.inf
    share = window.upstream * chosen(inside, exponential(tap.other - window.aside), 0.0)
    return share, chosen(inside, share * (x - window.value), 0.0)


def log_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The same in torch."""
    sharpness = call.settings[0]
    total = (sharpness * values).logsumexp(-1)
    return Pooled((total - present.sum(-1).to(values.dtype).log()) / sharpness)


def soft_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The same in torch."""
    return Pooled((values.softmax(-1) * values.masked_fill(~present, 0)).sum(-1), aside=values.logsumexp(-1).detach())


def lip_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The same in torch."""
    assert call.other is not None
    weighted = (call.other.softmax(-1) * values.masked_fill(~present, 0)).sum(-1)
    return Pooled(weighted, aside=call.other.logsumexp(-1).detach())


LOG_SUM_EXP = Operator(
    Variant(
        "log_sum_exp_pool",
        log_reference,
        soft_start,
        soft_fold,
        log_finish,
        log_share,
        padding=-math.inf,
        turn=soft_turn,
        fold_again=log_fold_again,
        two_passes=True,
        reads_input=True,
        reads_value=True,
    )
)
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
        reads_value=True,
        puts_aside=True,
    )
)
LIP = Operator(
    Variant(
        "lip_pool",
        lip_reference,
        soft_start,
        lip_fold,
        soft_finish,
        lip_share,
        padding=-math.inf,
        turn=soft_turn,
        fold_again=lip_fold_again,
        two_passes=True,
        reads_input=True,
        reads_value=True,
        puts_aside=True,
        second_input=True,
    )
)


def log_sum_exp_pool(x: Tensor, geometry: Geometry, *, sharpness: float = 1.0) -> Tensor:
    """Return log(mean exp(r x)) / r of each window, r = ``sharpness``: the mean for small r, the maximum for large.

    Raises
    ------
    InputError : if ``sharpness`` is not a positive finite number (Pinheiro & Collobert 2015, equation 6)

    Examples
    --------
    >>> import torch
    >>> from gradus.layers import windows
    >>> log_sum_exp_pool(torch.tensor([[[0.0, 0.0]]]), windows(1, 2))
    tensor([[[0.]]])
    """
    if not 0 < sharpness < math.inf:
        raise InputError(f"sharpness is {sharpness}; a positive finite number was expected")
    return pooled(LOG_SUM_EXP, x, Inputs(geometry, (float(sharpness),)), geometry.axes)


def soft_pool(x: Tensor, geometry: Geometry) -> Tensor:
    """Return sum w x of each window with w = softmax(x) (Stergiou, Poppe & Kalliatakis 2021).

    Examples
    --------
    >>> import torch
    >>> from gradus.layers import windows
    >>> soft_pool(torch.tensor([[[2.0, 2.0]]]), windows(1, 2))
    tensor([[[2.]]])
    """
    return pooled(SOFT, x, Inputs(geometry), geometry.axes)


def lip_pool(x: Tensor, logits: Tensor, geometry: Geometry) -> Tensor:
    """Return sum e^l x / sum e^l of each window, l the ``logits``, of the shape of x (Gao, Wang & Wu 2019).

    Raises
    ------
    InputError : if the shapes differ

    Examples
    --------
    >>> import torch
    >>> from gradus.layers import windows
    >>> lip_pool(torch.tensor([[[1.0, 3.0]]]), torch.zeros(1, 1, 2), windows(1, 2))
    tensor([[[2.]]])
    """
    if x.shape != logits.shape:
        raise InputError(f"logits have shape {tuple(logits.shape)}; that of the input, {tuple(x.shape)}, was expected")
    batch, single = as_batch(x, geometry, geometry.axes)
    value = LIP(batch, Inputs(geometry, other=logits[None] if single else logits)).value
    return value[0] if single else value


class _LogSumExpPool(SlidingPool):
    """The logarithm of the mean exponential of each window; see ``log_sum_exp_pool``."""

    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Padding = 0, *, sharpness: float = 1.0
    ) -> None:
        super().__init__(kernel_size, stride, padding)
        self.sharpness = sharpness

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        return log_sum_exp_pool(x, self.windows, sharpness=self.sharpness)


class LogSumExpPool1d(_LogSumExpPool):
    """Log-sum-exp on a line."""

    axes: ClassVar[int] = 1


class LogSumExpPool2d(_LogSumExpPool):
    """Log-sum-exp in a plane."""

    axes: ClassVar[int] = 2


class LogSumExpPool3d(_LogSumExpPool):
    """Log-sum-exp in space."""

    axes: ClassVar[int] = 3


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


class _LIPPool(SlidingPool):
    """The mean of each window, weighted by the exponential of logits that another network gives."""

    def forward(self, x: Tensor, logits: Tensor) -> Tensor:  # type: ignore[override]
        """Pool ``x`` by ``logits``, both (samples, channels, axes...)."""
        return lip_pool(x, logits, self.windows)


class LIPPool1d(_LIPPool):
    """LIP on a line."""

    axes: ClassVar[int] = 1


class LIPPool2d(_LIPPool):
    """LIP in a plane.

    >>> import torch
    >>> LIPPool2d(2)(torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2))
    tensor([[[[1.]]]])
    """

    axes: ClassVar[int] = 2


class LIPPool3d(_LIPPool):
    """LIP in space."""

    axes: ClassVar[int] = 3
