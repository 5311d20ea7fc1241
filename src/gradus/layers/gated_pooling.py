"""Between max and average pooling, a mixture that each window decides for itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from gradus.kernels.register_functions import exponential
from gradus.kernels.registers import chosen
from gradus.kernels.window_pooling import COUNT, Pooled, Variant
from gradus.layers import exported_forms
from gradus.layers.mixed_pooling import mixture
from gradus.layers.operators import Operator
from gradus.layers.sliding import SlidingPool
from gradus.layers.weighted_pooling import pooled_by_weights

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling import Call, Windows
    from gradus.layers.axes import Size
    from gradus.layers.geometry import Padding


def gated_start(settings: Any) -> Any:
    """Nothing yet."""
    return -math.inf, -1.0, 0.0, 0.0


def gated_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """The largest, its tap, and the sum of what is inside, as it is and weighted."""
    taken = (x > state[0]) | (x != x)
    inside = chosen(x == -math.inf, 0.0, x)
    largest, winner = chosen(taken, x, state[0]), chosen(taken, tap.number, state[1])
    return largest, winner, state[2] + inside, state[3] + tap.weight * inside


def gated_finish(state: Any, constant: Any, extra: Any, settings: Any) -> Any:
    """The mixture."""
    mean = state[2] / constant
    return mean + (state[0] - mean) / (1.0 + exponential(-state[3])), 0.0, 0.0


def gated_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """A share for all, the rest for the largest, and what the gate's change is worth to each and to its weight."""
    gate, mean = 1.0 / (1.0 + exponential(-window.state[3])), 1.0 / window.constant
    worth = window.upstream * gate * (1.0 - gate) * (window.state[0] - window.state[2] * mean)
    common = window.upstream * (1.0 - gate) * mean
    largest = chosen(window.state[1] == tap.number, window.upstream * gate, 0.0)
    return common + largest + worth * tap.weight, worth * chosen(x == -math.inf, 0.0, x)


def gated_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The same in torch."""
    assert call.weights is not None
    inside = values.masked_fill(~present, 0)
    return mixture(values, present, torch.sigmoid((inside * call.weights.reshape(-1)).sum(-1)))._replace(winner=None)


GATED = Operator(
    Variant(
        "gated_pool",
        gated_reference,
        gated_start,
        gated_fold,
        gated_finish,
        gated_share,
        padding=-math.inf,
        reads_input=True,
        learns=True,
        recalls=True,
        constant=COUNT,
    ),
    exported_forms.gated,
)


def gated_pool(x: Tensor, weights: Tensor, geometry: Windows) -> Tensor:
    """Return s max + (1 - s) mean of each window with s = sigmoid(sum_t weights_t x_t) (Lee et al. 2016).

    Nothing is kept for the gradient but the input: windows are folded once more, which takes less than to store what
    was found.

    Parameters
    ----------
    weights : of the window's shape; gets a gradient

    Raises
    ------
    InputError : if the weights do not have the window's shape

    Examples
    --------
    >>> from gradus.layers import windows
    >>> gated_pool(torch.tensor([[[1.0, 3.0]]]), torch.zeros(2), windows(1, 2))
    tensor([[[2.5000]]])
    """
    return pooled_by_weights(GATED, x, weights, geometry)


class _GatedPool(SlidingPool):
    """A mixture of maximum and mean that a learned filter decides for each window."""

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
