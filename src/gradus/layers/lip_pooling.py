"""LIP: the mean of each window by exponential weights, whose logits are given."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from gradus.kernels.register_functions import exponential
from gradus.kernels.registers import chosen
from gradus.kernels.window_pooling import Pooled, Variant
from gradus.layers.geometry import as_batch
from gradus.layers.given_numbers import learned
from gradus.layers.operators import Inputs, Operator
from gradus.layers.sliding import SlidingPool
from gradus.layers.soft_pooling import soft_finish, soft_start, soft_turn

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling import Call, Geometry


def lip_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """The largest of the given logits."""
    z = tap.other
    return chosen((z > state[0]) | (z != z), z, state[0]), state[1], state[2]


def lip_fold_again(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """Add the weight, and the weighted value."""
    inside = tap.other > -math.inf
    weight = chosen(inside, exponential(tap.other - state[0]), 0.0)
    return state[0], state[1] + weight, state[2] + chosen(inside, weight * x, 0.0)


def lip_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """Upstream times w, and times w (x - y)."""
    inside, inverse = tap.other > -math.inf, 1.0 / chosen(window.state[1] > 0.0, window.state[1], 1.0)
    mean = window.state[2] * inverse + (window.state[0] - window.state[0])
    share = window.upstream * inverse * chosen(inside, exponential(tap.other - window.state[0]), 0.0)
    return share, chosen(inside, share * (x - mean), 0.0)


def lip_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The same in torch."""
    assert call.other is not None
    return Pooled((call.other.softmax(-1) * values.masked_fill(~present, 0)).sum(-1))


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
        recalls=True,
        second_input=True,
    )
)


def lip_pool(x: Tensor, logits: Tensor, geometry: Geometry) -> Tensor:
    """Return sum e^l x / sum e^l of each window, l the ``logits``, of the shape of x (Gao, Wang & Wu 2019).

    Raises
    ------
    InputError : if the logits are no floating-point tensor of the input's shape

    Examples
    --------
    >>> import torch
    >>> from gradus.layers import windows
    >>> lip_pool(torch.tensor([[[1.0, 3.0]]]), torch.zeros(1, 1, 2), windows(1, 2))
    tensor([[[2.]]])
    """
    batch, single = as_batch(x, geometry)
    learned("the logits", logits, tuple(x.shape))
    value = LIP(batch, Inputs(geometry, other=logits[None] if single else logits)).value
    return value[0] if single else value


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
