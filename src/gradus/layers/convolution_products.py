"""The three products of a convolution: of images and weights, and of an upstream gradient with either.

On oneDNN or cuDNN through torch, and of images of few channels by a kernel of our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from gradus.kernels import shallow_conv2d

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from gradus.layers.convolution_geometry import Sliding

# images of at most so many channels, and at least so many filters and multiplications; not tuned finely
FEW_CHANNELS = 4
MANY_FILTERS = 8
LEAST_PRODUCTS = 1_000_000


def shallow(images: Tensor, weights: Tensor, upstream_size: Sequence[int], geometry: Sliding) -> bool:
    """Return whether the kernel for images of few channels is faster."""
    places = upstream_size[0] * upstream_size[1] if len(upstream_size) == 2 else 0
    return (
        len(upstream_size) == 2
        and geometry.groups == 1
        and images.device.type == "cpu"
        and images.dtype == weights.dtype
        and images.dtype in (torch.float32, torch.float64)
        and weights.shape[1] <= FEW_CHANNELS
        and len(weights) >= MANY_FILTERS
        and images.is_contiguous()
        and len(images) * places * weights.numel() >= LEAST_PRODUCTS
    )


def product(images: Tensor, weights: Tensor, bias: Tensor | None, geometry: Sliding) -> Tensor:
    """Return the convolution of images, (samples, channels, axes...), with weights, (filters, channels, axes...)."""
    padded, around = _evened(images, geometry)
    stride, dilation = list(geometry.stride), list(geometry.dilation)
    nothing = [0] * len(around)
    result: Tensor = torch.ops.aten.convolution.default(
        padded, weights, bias, stride, around, dilation, False, nothing, geometry.groups
    )
    return result


def shallow_product(images: Tensor, weights: Tensor, bias: Tensor | None, geometry: Sliding) -> Tensor:
    """Return ``product`` where ``shallow`` is true."""
    return shallow_conv2d.product(images, weights, bias, _plan(weights, geometry))


def to_images(upstream: Tensor, weights: Tensor, size: Sequence[int], geometry: Sliding) -> Tensor:
    """Return the gradient of <upstream, product> with respect to images of ``size``."""
    shape = (len(upstream), weights.shape[1] * geometry.groups, *size)
    images = torch.empty(shape, dtype=upstream.dtype, device=upstream.device, memory_format=_format(upstream))
    if shallow(images, weights, upstream.shape[2:], geometry):
        found, _ = shallow_conv2d.gradients(upstream, images, weights, _plan(weights, geometry), (True, False))
        assert found is not None
        return found
    # oneDNN reads the shape of the images alone
    padded, around = _evened(images, geometry)
    gradient = _gradients(upstream, padded, weights, (around, geometry), (True, False))[0]
    return _cut(gradient, geometry)


def transposed(upstream: Tensor, weights: Tensor, size: Sequence[int], geometry: Sliding) -> Tensor:
    """Return what ``to_images`` does by a transposed convolution of torch: what ONNX has of the two."""
    even = geometry.before == geometry.after
    padded = geometry if even else geometry._replace(before=(0,) * len(size), after=(0,) * len(size))
    least = padded.input(upstream.shape[2:], weights.shape[2:], (0,) * len(size))
    around = (0,) * len(size) if even else tuple(b + a for b, a in zip(geometry.before, geometry.after, strict=True))
    extra = [n + more - found for n, more, found in zip(size, around, least, strict=True)]
    found: Tensor = torch.ops.aten.convolution.default(
        *(upstream, weights, None, list(geometry.stride), list(padded.before), list(geometry.dilation)),
        *(True, extra, geometry.groups),
    )
    return _cut(found, geometry)


def to_weights(upstream: Tensor, images: Tensor, kernel: Sequence[int], geometry: Sliding) -> Tensor:
    """Return the gradient of <upstream, product> with respect to weights with windows of size ``kernel``."""
    shape = (upstream.shape[1], images.shape[1] // geometry.groups, *kernel)
    weights = torch.empty(shape, dtype=images.dtype, device=images.device)
    if shallow(images, weights, upstream.shape[2:], geometry):
        _, found = shallow_conv2d.gradients(upstream, images, weights, _plan(weights, geometry), (False, True))
        assert found is not None
        return found
    padded, around = _evened(images, geometry)
    return _gradients(upstream, padded, weights, (around, geometry), (False, True))[1]


def to_both(upstream: Tensor, images: Tensor, weights: Tensor, geometry: Sliding) -> tuple[Tensor, Tensor]:
    """Return what ``to_images`` and ``to_weights`` do, at once."""
    if shallow(images, weights, upstream.shape[2:], geometry):
        plan = _plan(weights, geometry)
        of_images, of_weights = shallow_conv2d.gradients(upstream, images, weights, plan, (True, True))
        assert of_images is not None and of_weights is not None
        return of_images, of_weights
    padded, around = _evened(images, geometry)
    whole, of_weights = _gradients(upstream, padded, weights, (around, geometry), (True, True))
    return _cut(whole, geometry), of_weights


def _gradients(
    upstream: Tensor, images: Tensor, weights: Tensor, sliding: tuple[list[int], Sliding], wanted: tuple[bool, bool]
) -> tuple[Tensor, Tensor]:
    around, geometry = sliding
    stride, dilation, nothing = list(geometry.stride), list(geometry.dilation), [0] * len(around)
    found = torch.ops.aten.convolution_backward.default(
        *(upstream, images, weights, None, stride, around, dilation, False, nothing, geometry.groups),
        [*wanted, False],
    )
    return found[0], found[1]


def _format(tensor: Tensor) -> torch.memory_format:
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    wanted = formats.get(tensor.dim(), torch.contiguous_format)
    last = tensor.is_contiguous(memory_format=wanted) and not tensor.is_contiguous()
    return wanted if last else torch.contiguous_format


def _evened(images: Tensor, geometry: Sliding) -> tuple[Tensor, list[int]]:
    """Return the images and the padding on both sides; where the sides differ, padded images and none."""
    if geometry.before == geometry.after:
        return images, list(geometry.before)
    return functional.pad(images, _around(geometry)), [0] * len(geometry.before)


def _cut(gradient: Tensor, geometry: Sliding) -> Tensor:
    if geometry.before == geometry.after:
        return gradient
    return functional.pad(gradient, [-n for n in _around(geometry)])


def _around(geometry: Sliding) -> list[int]:
    sides = zip(reversed(geometry.before), reversed(geometry.after), strict=True)
    return [n for side in sides for n in side]


def _plan(weights: Tensor, geometry: Sliding) -> shallow_conv2d.Plan:
    down, across = weights.shape[2:]
    stride, dilation, before, after = (tuple(numbers) for numbers in geometry[:4])
    return shallow_conv2d.Plan((down, across), stride, dilation, before, after)  # type: ignore[arg-type]
