"""Log-sum-exp pooling, a smooth maximum."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from gradus.kernels.register_functions import exponential, logarithm
from gradus.kernels.registers import chosen
from gradus.kernels.window_pooling import Pooled, Variant
from gradus.layers.given_numbers import positive
from gradus.layers.operators import Inputs, Operator
from gradus.layers.sliding import SlidingPool, pooled
from gradus.layers.soft_pooling import soft_fold, soft_start, soft_turn

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling import Call, Geometry
    from gradus.layers.axes import Size
    from gradus.layers.geometry import Padding


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
    # NaN and infinite logits give NaN, as a softmax does
    inverse = 1.0 / window.state[1] + (window.state[0] - window.state[0])
    weight = chosen(x > -math.inf, exponential(settings[0] * (x - window.state[0])), 0.0)
    return window.upstream * inverse * weight


def log_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The same in torch."""
    sharpness = call.settings[0]
    total = (sharpness * values).logsumexp(-1)
    return Pooled((total - present.sum(-1).to(values.dtype).log()) / sharpness)


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
        recalls=True,
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
    return pooled(LOG_SUM_EXP, x, Inputs(geometry, (positive("sharpness", sharpness),)))


class _LogSumExpPool(SlidingPool):
    """The logarithm of the mean exponential of each window; see ``log_sum_exp_pool``."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Padding = 0,
        dilation: Size = 1,
        *,
        ceil_mode: bool = False,
        sharpness: float = 1.0,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)
        self.sharpness = positive("sharpness", sharpness)

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
