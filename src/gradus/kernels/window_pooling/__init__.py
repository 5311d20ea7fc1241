"""Folding the values of windows into one value each, and sharing its gradient out again: every pooling layer.

A variant is a handful of scalar functions (``variant.py``), a geometry is a table of positions for each axis
(``windows.py``); the loops (``template.py``, ``drivers.py``) are the same for all.
``staging.py`` tells how memory is laid out for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradus.kernels import dispatch
from gradus.kernels.window_pooling.call import Call, Gradients, Pooled
from gradus.kernels.window_pooling.variant import (
    COUNT,
    COUNT_PADDED,
    FIRST_TAP,
    Tap,
    Variant,
    Window,
)
from gradus.kernels.window_pooling.windows import Bins, Geometry, Same, Windows, from_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

__all__ = [
    "COUNT",
    "COUNT_PADDED",
    "FIRST_TAP",
    "Bins",
    "Call",
    "Geometry",
    "Gradients",
    "Pooled",
    "Same",
    "Tap",
    "Variant",
    "Window",
    "Windows",
    "backward",
    "forward",
    "from_code",
    "repeated",
]


def forward(variant: Variant, call: Call, *, keep: bool) -> Pooled:
    """Return what each window comes to.

    Parameters
    ----------
    variant : how a window is folded
    call : inputs, geometry and settings; half precision is computed with in float32
    keep : whether what ``backward`` needs is stored; without it only the values are written

    Returns
    -------
    value : (samples, channels, windows...), in the memory format of ``call.x``
    aside : the numbers that the variant puts aside, or None
    winner : uint8 (int32 where a window has more than 256 taps), which tap won; or None

    Notes
    -----
    One pass over the input; the same bits with any number of threads.
    """
    run: Any = dispatch.load("window_pooling", call.x.device.type).forward
    found: Pooled = run(variant, call, keep=keep)
    return found


def repeated(variant: Variant, call: Call) -> Callable[[Tensor], Tensor] | None:
    """Return what pools inputs shaped and laid out as ``call.x``, in as few steps as can be, as ``forward`` pools them.

    The call has no other tensors. None where each input would have to be converted, or there are no windows.
    """
    found: Any = dispatch.load("window_pooling", "cpu").repeated(variant, call)
    made: Callable[[Tensor], Tensor] | None = found
    return made


def backward(variant: Variant, call: Call, upstream: Tensor, pooled: Pooled, *, learn: bool) -> Gradients:
    """Return the gradients of ``call.x``, of ``call.other`` (None where there is no second input), and of the weights.

    Every pixel adds up the shares of its windows in one order: the same bits with any number of threads.

    Parameters
    ----------
    upstream : gradient with respect to the values
    pooled : what ``forward`` returned with ``keep``
    learn : whether the gradient of the weights is wanted, which is None otherwise; they are added up in the same pass
    """
    run: Any = dispatch.load("window_pooling", call.x.device.type).backward
    found: Gradients = run(variant, call, upstream, pooled, learn=learn)
    return found
