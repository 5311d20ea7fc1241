"""Average and sum pooling."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from gradus.core.errors import InputError
from gradus.kernels.register_functions import quotient
from gradus.kernels.window_pooling import COUNT, COUNT_PADDED, Pooled, Variant
from gradus.layers import exported_forms
from gradus.layers.geometry import windows
from gradus.layers.operators import Inputs, Operator
from gradus.layers.sliding import SlidingPool, pooled

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling import Call, Geometry
    from gradus.layers.axes import Size
    from gradus.layers.geometry import Padding


def sum_start(settings: Any) -> Any:
    """Nothing yet."""
    return (0.0,)


def sum_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """Add."""
    return (state[0] + x,)


def mean_finish(state: Any, constant: Any, extra: Any, settings: Any) -> Any:
    """Divide by how many there are."""
    return quotient(state[0], constant), 0.0, 0.0


def mean_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """The same share for each."""
    return quotient(window.upstream, window.constant)


def sum_finish(state: Any, constant: Any, extra: Any, settings: Any) -> Any:
    """Divide by the number given."""
    return state[0] / settings[0], 0.0, 0.0


def sum_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """The same share for each."""
    return window.upstream / settings[0]


def mean_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The mean of what lies inside, in torch."""
    return Pooled(values.sum(-1) / present.sum(-1))


def padded_mean_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The mean over a window's positions inside the input and its padding, in torch."""
    return Pooled(values.sum(-1) / call.constants(COUNT_PADDED))


def sum_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The sum in torch."""
    return Pooled(values.sum(-1) / call.settings[0])


MEAN = Operator(
    Variant("average_pool", mean_reference, sum_start, sum_fold, mean_finish, mean_share, constant=COUNT),
    exported_forms.mean,
)
PADDED_MEAN = Operator(
    Variant(
        "padded_average_pool",
        padded_mean_reference,
        sum_start,
        sum_fold,
        mean_finish,
        mean_share,
        constant=COUNT_PADDED,
    ),
    exported_forms.padded_mean,
)
SUM = Operator(Variant("sum_pool", sum_reference, sum_start, sum_fold, sum_finish, sum_share), exported_forms.total)


def average_pool(
    x: Tensor, geometry: Geometry, *, count_include_pad: bool = True, divisor_override: int | None = None
) -> Tensor:
    """Return the mean of each window: its sum over the positions it has, padding counted or not, or over a number.

    Raises
    ------
    InputError : if ``divisor_override`` is 0, or the input does not fit the geometry

    Examples
    --------
    >>> import torch
    >>> average_pool(torch.tensor([[[1.0, 3.0, 2.0]]]), windows(1, 2, 1, padding=1), count_include_pad=False)
    tensor([[[1.0000, 2.0000, 2.5000, 2.0000]]])
    """
    if divisor_override is not None:
        return sum_pool(x, geometry, divisor=divisor_override)
    return pooled(PADDED_MEAN if count_include_pad else MEAN, x, Inputs(geometry))


def sum_pool(x: Tensor, geometry: Geometry, *, divisor: float = 1.0) -> Tensor:
    """Return the sum of each window over ``divisor``.

    Examples
    --------
    >>> import torch
    >>> sum_pool(torch.tensor([[[1.0, 3.0, 2.0]]]), windows(1, 2, 1))
    tensor([[[4., 5.]]])
    """
    is_number = isinstance(divisor, int | float) and math.isfinite(divisor)
    if not is_number or divisor == 0:
        raise InputError(f"divisor_override is {divisor!r}; a finite number other than 0 was expected")
    return pooled(SUM, x, Inputs(geometry, (float(divisor),)))


def avg_pool2d(
    x: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """``torch.nn.functional.avg_pool2d``, call for call.

    Examples
    --------
    >>> import torch
    >>> avg_pool2d(torch.arange(16.0).reshape(1, 1, 4, 4), 2)
    tensor([[[[ 2.5000,  4.5000],
              [10.5000, 12.5000]]]])
    """
    geometry = windows(2, kernel_size, stride, padding, ceil_mode=ceil_mode)
    return average_pool(x, geometry, count_include_pad=count_include_pad, divisor_override=divisor_override)


class _AvgPool(SlidingPool):
    """The mean of each window; the arguments are torch's."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
        *,
        dilation: Size = 1,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        return average_pool(
            x, self.windows, count_include_pad=self.count_include_pad, divisor_override=self.divisor_override
        )


class AvgPool1d(_AvgPool):
    """``torch.nn.AvgPool1d``."""

    axes: ClassVar[int] = 1


class AvgPool2d(_AvgPool):
    """``torch.nn.AvgPool2d``."""

    axes: ClassVar[int] = 2


class AvgPool3d(_AvgPool):
    """``torch.nn.AvgPool3d``."""

    axes: ClassVar[int] = 3


class _SumPool(SlidingPool):
    """The sum of each window."""

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        return sum_pool(x, self.windows)


class SumPool1d(_SumPool):
    """The sum of each window on a line."""

    axes: ClassVar[int] = 1


class SumPool2d(_SumPool):
    """The sum of each window in a plane."""

    axes: ClassVar[int] = 2


class SumPool3d(_SumPool):
    """The sum of each window in space."""

    axes: ClassVar[int] = 3
