"""Pooling by the operators of torch that ONNX has too: what a file of a network is made of, since it knows not ours.

Each returns None where its windows have no such form, and are written out (``kernels.window_pooling.reference``).
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from torch.nn import functional

from gradus.kernels.window_pooling import COUNT, COUNT_PADDED, Bins, Same, Windows

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from torch import Tensor

    from gradus.kernels.window_pooling import Call
    from gradus.kernels.window_pooling.variant import Constant

    Form = Callable[[Call], Tensor | None]

_MAXIMA: tuple[Any, ...] = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)
_MEANS: tuple[Any, ...] = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)
_CONVOLUTIONS: tuple[Any, ...] = (functional.conv1d, functional.conv2d, functional.conv3d)


def largest(call: Call) -> Tensor | None:
    """Return the maximum of each window."""
    if _whole(call):
        return call.x.amax(dim=_axes(call), keepdim=True)
    windows = _sliding(call)
    if windows is None:
        return None
    x, padding = _padded(call.x, windows, -float("inf"))
    found: Tensor = _MAXIMA[windows.axes - 1](x, windows.kernel, windows.stride, padding, windows.dilation)
    return found


def smallest(call: Call) -> Tensor | None:
    """Return the minimum of each window."""
    found = largest(call.with_inputs(-call.x, None))
    return None if found is None else -found


def mean(call: Call) -> Tensor | None:
    """Return the mean of what each window has inside the input."""
    return _mean(call, COUNT)


def padded_mean(call: Call) -> Tensor | None:
    """Return the mean of what each window has inside the input and its padding."""
    return _mean(call, COUNT_PADDED)


def total(call: Call) -> Tensor | None:
    """Return the sum of each window, 0 outside the input, over the number that the call is set to."""
    return _scaled(_mean_with_zeros(call), _taps(call) / call.settings[0])


def total_of_sizes(call: Call) -> Tensor | None:
    """Return the sum of each window's magnitudes."""
    return _scaled(_mean_with_zeros(call.with_inputs(call.x.abs(), None)), _taps(call))


def weighted(call: Call) -> Tensor | None:
    """Return the sum of each window, each position with its weight."""
    windows = _sliding(call)
    assert call.weights is not None
    return None if windows is None else _convolved(call.x, call.weights.reshape(windows.kernel), windows)


def expected(call: Call) -> Tensor | None:
    """Return sum x^2 / sum x of each window's positive numbers, 0 where there are none."""
    kept = call.x.clamp(min=0)
    means, squares = (_mean_with_zeros(call.with_inputs(x, None)) for x in (kept, kept * kept))
    if means is None or squares is None:
        return None
    return squares / means.where(means > 0, 1)


def mixed(call: Call) -> Tensor | None:
    """Return a max + (1 - a) mean of each window."""
    return _mixture(call, call.weights)


def gated(call: Call) -> Tensor | None:
    """Return s max + (1 - s) mean of each window, s the logistic function of its weighted sum."""
    logit = weighted(call)
    return None if logit is None else _mixture(call, logit.sigmoid())


def _mixture(call: Call, share: Tensor | None) -> Tensor | None:
    highest, average = largest(call), mean(call)
    if highest is None or average is None or share is None:
        return None
    return average + share * (highest - average)


def _mean(call: Call, constant: Constant) -> Tensor | None:
    if _whole(call):
        return call.x.mean(dim=_axes(call), keepdim=True)
    windows, found = _sliding(call), _mean_with_zeros(call)
    if windows is None or found is None or _all_alike(windows, constant):
        return found
    return found * (_taps(call) / call.constants(constant)).to(found.dtype)


def _mean_with_zeros(call: Call) -> Tensor | None:
    """Return the sum of each window over all its positions, whether inside the input or not."""
    windows = _sliding(call)
    if windows is None:
        return None
    if any(dilation != 1 for dilation in windows.dilation):
        return _convolved(call.x, call.x.new_full(windows.kernel, 1 / _taps(call)), windows)
    x, padding = _padded(call.x, windows, 0.0)
    found: Tensor = _MEANS[windows.axes - 1](x, windows.kernel, windows.stride, padding)
    return found


def _scaled(found: Tensor | None, factor: float) -> Tensor | None:
    return None if found is None else found * factor


def _taps(call: Call) -> int:
    windows = _sliding(call)
    return 1 if windows is None else prod(windows.kernel)


def _all_alike(windows: Windows, constant: Constant) -> bool:
    """Return whether each window is divided by all its positions, whatever the size of the input."""
    inside = not any(windows.before) and not any(windows.after)
    return not windows.ceil and (constant is COUNT_PADDED or inside)


def _axes(call: Call) -> list[int]:
    return list(range(2, call.x.dim()))


def _whole(call: Call) -> bool:
    """Return whether one window is all of the input, of any size."""
    return call.positions is None and isinstance(call.geometry, Bins) and set(call.geometry.outputs) == {1}


def _sliding(call: Call) -> Windows | None:
    if call.positions is not None:
        return None
    geometry = call.geometry
    if isinstance(geometry, Bins):
        return geometry.sliding(call.sizes)
    return geometry if geometry.same is Same.GIVEN else geometry.padded(call.sizes)


def _padded(x: Tensor, windows: Windows, value: float) -> tuple[Tensor, tuple[int, ...]]:
    """Return the input and how much torch is to pad on both sides; where it cannot, a padded input, and nothing."""
    before, after = windows.before, _reached(windows, x.shape[2:]) if windows.ceil else windows.after
    if before == after and all(2 * pad <= kernel for pad, kernel in zip(before, windows.kernel, strict=True)):
        return x, before
    sides = [n for pair in zip(reversed(before), reversed(after), strict=True) for n in pair]
    return functional.pad(x, sides, value=value), (0,) * windows.axes


def _reached(windows: Windows, sizes: torch.Size) -> tuple[int, ...]:
    """Return how far the last window reaches over the end of each axis."""
    shape = zip(sizes, windows.output(sizes), windows.kernel, windows.stride, windows.dilation, strict=True)
    ends = [
        (count - 1) * stride + dilation * (kernel - 1) + 1 - size for size, count, kernel, stride, dilation in shape
    ]
    return tuple(max(end - before, 0) for end, before in zip(ends, windows.before, strict=True))


def _convolved(x: Tensor, weights: Tensor, windows: Windows) -> Tensor:
    """Return the sum of each window's positions times the weights, of the shape of a window."""
    channels = x.shape[1]
    padded, padding = _padded(x, windows, 0.0)
    filters = weights.to(x.dtype).expand(channels, 1, *windows.kernel)
    found: Tensor = _CONVOLUTIONS[windows.axes - 1](
        padded, filters, None, windows.stride, padding, windows.dilation, channels
    )
    return found
