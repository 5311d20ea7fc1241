"""L_p pooling: the p-norm of each window, right for any p > 0 and for numbers of either sign and any size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from gradus.kernels.register_functions import exponential, logarithm, ratio, scale, smallest_normal, undone
from gradus.kernels.registers import chosen
from gradus.kernels.window_pooling import Pooled, Variant
from gradus.layers import exported_forms
from gradus.layers.geometry import windows
from gradus.layers.given_numbers import positive
from gradus.layers.operators import Inputs, Operator
from gradus.layers.sliding import SlidingPool, pooled

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling import Call, Geometry
    from gradus.layers.axes import Size
    from gradus.layers.geometry import Padding


def norm_start(settings: Any) -> Any:
    """No magnitude yet."""
    return 0.0, 0.0, 0.0


def norm_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """The largest magnitude, by which all are scaled: no power overflows. NaN wins."""
    size = abs(x)
    return chosen((size > state[0]) | (size != size), size, state[0]), state[1], state[2]


def norm_turn(state: Any, extra: Any, settings: Any) -> Any:
    """Keep the magnitude, and a power of two that scales with it, sum from 0."""
    return state[0], scale(state[0]), 0.0


def square_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """Add the square."""
    scaled = x * state[1]
    return state[0], state[1], state[2] + scaled * scaled


def square_finish(state: Any, constant: Any, extra: Any, settings: Any) -> Any:
    """Take the root."""
    return math.sqrt(state[2]) * undone(state[1]), 0.0, 0.0


def square_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """Upstream times x / y."""
    return chosen(window.value > 0.0, window.upstream * ratio(x, window.value), 0.0)


def absolute_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """Add the magnitude."""
    return (state[0] + abs(x),)


def absolute_start(settings: Any) -> Any:
    """Nothing yet."""
    return (0.0,)


def absolute_finish(state: Any, constant: Any, extra: Any, settings: Any) -> Any:
    """The sum."""
    return state[0], 0.0, 0.0


def absolute_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """Upstream times the sign."""
    return chosen(x > 0.0, window.upstream, chosen(x < 0.0, -window.upstream, 0.0))


def power_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """Add the power."""
    part = chosen(state[0] > 0.0, ratio(abs(x), state[0]), 0.0)
    some = part >= smallest_normal(part)
    raised = chosen(some, exponential(settings[0] * logarithm(chosen(some, part, 1.0))), 0.0)
    return state[0], state[1], state[2] + raised


def power_finish(state: Any, constant: Any, extra: Any, settings: Any) -> Any:
    """Take the root."""
    total = chosen(state[2] >= 1.0, state[2], 1.0)
    norm = state[0] * exponential(logarithm(total) / settings[0])
    return chosen(state[0] > 0.0, norm, state[0]), 0.0, 0.0


def power_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """Upstream times sign(x) (abs(x) / y)^(p - 1)."""
    part = chosen(window.value > 0.0, ratio(abs(x), window.value), 0.0)
    some = part >= smallest_normal(part)
    raised = chosen(some, exponential((settings[0] - 1.0) * logarithm(chosen(some, part, 1.0))), 0.0)
    return window.upstream * chosen(x > 0.0, raised, -raised)


def norm_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The norm in torch; its gradient at a window of zeros is 0."""
    power = call.settings[0]
    sizes = values.abs()
    largest = sizes.detach().amax(-1)
    scale = largest.where((largest > 0) & ~largest.isinf(), 1)  # infinity stays what it is
    ratio = sizes / scale[..., None]
    # a power below 2 has an infinite slope at 0 somewhere among its derivatives: zeros are left out
    raised = ratio.where(ratio > 0, 1) ** power
    total = raised.where(ratio > 0, 0).sum(-1)
    norm = scale * total.where(largest > 0, 1) ** (1 / power)
    return Pooled(norm.where(largest > 0, 0 * values.sum(-1)))


def _variant(name: str, fold: Any, finish: Any, share: Any) -> Variant:
    return Variant(
        name,
        norm_reference,
        norm_start,
        norm_fold,
        finish,
        share,
        turn=norm_turn,
        fold_again=fold,
        two_passes=True,
        reads_input=True,
        reads_value=True,
    )


L1 = Operator(
    Variant(
        "l1_pool", norm_reference, absolute_start, absolute_fold, absolute_finish, absolute_share, reads_input=True
    ),
    exported_forms.total_of_sizes,
)
L2 = Operator(_variant("l2_pool", square_fold, square_finish, square_share))
LP = Operator(_variant("lp_pool", power_fold, power_finish, power_share))


def lp_pool(x: Tensor, norm_type: float, geometry: Geometry) -> Tensor:
    """Return (sum abs(x)^p)^(1/p) of each window, p = ``norm_type``.

    Where torch is wrong this is right: p odd or fractional on negative numbers (torch: NaN or a signed sum), overflow
    (torch: inf), ceil mode (torch scales a window that is cut off as if it were whole); and padding and dilation exist.
    The gradient is upstream sign(x) (abs(x) / y)^(p - 1), and 0 where y = 0 or x = 0.

    Raises
    ------
    InputError : if ``norm_type`` is not a positive finite number, or the input does not fit the geometry

    Examples
    --------
    >>> import torch
    >>> lp_pool(torch.tensor([[[3.0, -4.0, 0.0]]]), 2, windows(1, 2, 1))
    tensor([[[5., 4.]]])
    """
    power = positive("norm_type", norm_type, " (max pooling is the limit)")
    operator = {1.0: L1, 2.0: L2}.get(power, LP)
    return pooled(operator, x, Inputs(geometry, (power,)))


def lp_pool2d(
    x: Tensor,
    norm_type: float,
    kernel_size: Size,
    stride: Size | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """``torch.nn.functional.lp_pool2d``, call for call, with the right answers; see ``lp_pool``."""
    return lp_pool(x, norm_type, windows(2, kernel_size, stride, ceil_mode=ceil_mode))


class _LpPool(SlidingPool):
    """The p-norm of each window; see ``lp_pool``."""

    def __init__(
        self,
        norm_type: float,
        kernel_size: Size,
        stride: Size | None = None,
        ceil_mode: bool = False,
        *,
        padding: Padding = 0,
        dilation: Size = 1,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)
        self.norm_type = positive("norm_type", norm_type, " (max pooling is the limit)")

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        return lp_pool(x, self.norm_type, self.windows)


class LpPool1d(_LpPool):
    """``torch.nn.LPPool1d``, with the right answers."""

    axes: ClassVar[int] = 1


class LpPool2d(_LpPool):
    """``torch.nn.LPPool2d``, with the right answers."""

    axes: ClassVar[int] = 2


class LpPool3d(_LpPool):
    """``torch.nn.LPPool3d``, with the right answers."""

    axes: ClassVar[int] = 3
