"""Convolutions (cross-correlations) and their transposes, with gradients in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradus.core.devices import require_one_device
from gradus.core.errors import InputError
from gradus.layers import convolution_operators as operators
from gradus.layers.axes import each
from gradus.layers.convolution_geometry import same_sides, sliding

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.layers.axes import Size
    from gradus.layers.convolution_geometry import Padding, Sliding

AUTOCAST = ("cpu", "cuda")


def conv1d(
    input: Tensor,  # noqa: A002 - torch's name
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution over one axis; see ``conv2d``."""
    return _convolved(1, input, weight, bias, (stride, padding, dilation, groups))


def conv2d(
    input: Tensor,  # noqa: A002
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Return the cross-correlation of images with weights, plus a bias.

    y[n,o,h,w] = b_o + sum_{c,i,j} W[o,c,i,j] x[n, g C/G + c, h s - p + i d, w s - p + j d], g the group of o

    As ``torch.nn.functional.conv2d``, and padding may differ before and after, or be ``Same.UPPER`` (TensorFlow's
    "SAME", ONNX's SAME_UPPER) or ``Same.LOWER`` with any stride. It runs on oneDNN or cuDNN; large enough batches of
    images of up to 4 channels by a kernel of ours, unless it is compiled. Under autocast all inputs are converted, as
    torch's are.

    Parameters
    ----------
    input : x, (samples, channels, height, width), or without the samples
    weight : W, (filters, channels / groups, height, width)
    bias : b, (filters,), or None for 0
    stride, padding, dilation, groups : see ``gradus.layers.convolution_geometry.sliding``

    Raises
    ------
    InputError : if shapes, dtypes or devices do not fit, or no window fits into the image

    References
    ----------
    Dumoulin & Visin 2016, A guide to convolution arithmetic for deep learning

    Examples
    --------
    >>> image = torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
    >>> conv2d(image, torch.ones(1, 1, 2, 2))
    tensor([[[12., 16.]]])
    >>> conv2d(image, torch.ones(1, 1, 2, 2), padding=((0, 0), (1, 0)))
    tensor([[[ 5., 12., 16.]]])
    """
    return _convolved(2, input, weight, bias, (stride, padding, dilation, groups))


def conv3d(
    input: Tensor,  # noqa: A002
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution over three axes; see ``conv2d``."""
    return _convolved(3, input, weight, bias, (stride, padding, dilation, groups))


def conv_transpose1d(
    input: Tensor,  # noqa: A002
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """Return the transposed convolution over one axis; see ``conv_transpose2d``."""
    return _transposed(1, input, weight, bias, (stride, padding, dilation, groups), output_padding)


def conv_transpose2d(
    input: Tensor,  # noqa: A002
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """Return the transpose of ``conv2d`` with these weights, as a linear map of images, applied to ``input``, plus b.

    Its gradient with respect to the input is ``conv2d``. Arguments as in ``torch.nn.functional.conv_transpose2d``.

    Parameters
    ----------
    input : x, (samples, channels, height, width), or without the samples
    weight : W, (channels, filters / groups, height, width)
    bias : b, (filters,), or None for 0
    stride, padding, dilation, groups : those of the convolution that is transposed
    output_padding : how much larger the result is than the least size whose convolution is the input's; less than the
        stride or the dilation

    Raises
    ------
    InputError : if shapes, dtypes or devices do not fit

    Examples
    --------
    >>> conv_transpose2d(torch.tensor([[[1.0, 2.0]]]), torch.ones(1, 1, 1, 2), stride=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    return _transposed(2, input, weight, bias, (stride, padding, dilation, groups), output_padding)


def conv_transpose3d(
    input: Tensor,  # noqa: A002
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """Return the transposed convolution over three axes; see ``conv_transpose2d``."""
    return _transposed(3, input, weight, bias, (stride, padding, dilation, groups), output_padding)


def _convolved(
    axes: int, images: Tensor, weights: Tensor, bias: Tensor | None, given: tuple[Size, Padding, Size, int]
) -> Tensor:
    batch, weights, bias = _alike(axes, images, weights, bias)
    stride, _, dilation, groups = given
    around = same_sides(batch.shape[2:], weights.shape[2:], given)
    geometry = sliding(weights.shape[2:], stride, around, dilation, groups)
    if batch.shape[1] != weights.shape[1] * geometry.groups or len(weights) % geometry.groups:
        raise InputError(
            f"images of {batch.shape[1]} channels and weights of shape {tuple(weights.shape)} in {geometry.groups} "
            "groups do not fit; expected (filters, channels / groups, ...), both divisible by the groups"
        )
    _same_length(bias, len(weights))
    if min(geometry.output(batch.shape[2:], weights.shape[2:])) < 1:
        raise InputError(
            f"no window of {tuple(weights.shape[2:])} fits into images of shape {tuple(images.shape)}: pad them"
        )
    result = operators.product(batch, weights, bias, geometry)
    return result if images.dim() == axes + 2 else result[0]


def _transposed(
    axes: int,
    images: Tensor,
    weights: Tensor,
    bias: Tensor | None,
    given: tuple[Size, Padding, Size, int],
    output_padding: Size,
) -> Tensor:
    batch, weights, bias = _alike(axes, images, weights, bias)
    if isinstance(given[1], str):
        raise InputError(f"padding is {given[1]!r}; a transposed convolution takes numbers")
    geometry = sliding(weights.shape[2:], *given)
    extra = each("output_padding", output_padding, axes, least=0)
    if batch.shape[1] != len(weights) or len(weights) % geometry.groups:
        raise InputError(
            f"images of {batch.shape[1]} channels and weights of shape {tuple(weights.shape)} in {geometry.groups} "
            "groups do not fit; expected (channels, filters / groups, ...), the channels divisible by the groups"
        )
    if any(e >= max(s, d) for e, s, d in zip(extra, geometry.stride, geometry.dilation, strict=True)):
        raise InputError(f"output_padding is {output_padding}; less than the stride or the dilation was expected")
    _same_length(bias, weights.shape[1] * geometry.groups)
    geometry, beyond = _within_reach(geometry, extra)
    extra = tuple(0 if beyond else e for e in extra)
    size = geometry.input(batch.shape[2:], weights.shape[2:], extra)
    if min(size) < 1:
        raise InputError(f"the result for images of shape {tuple(images.shape)} would be empty: give less padding")
    result = operators.transposed(batch, weights, size, geometry)
    if beyond:
        result = torch.nn.functional.pad(result, beyond)
    if bias is not None:
        result = result + bias.reshape(-1, *(1 for _ in range(axes)))
    return result if images.dim() == axes + 2 else result[0]


def _within_reach(geometry: Sliding, extra: tuple[int, ...]) -> tuple[Sliding, list[int]]:
    """Return a geometry that no further window fits into, and the zeros to put behind its result.

    An output padding of a stride or more, which a dilation may allow, would let one more window fit: it first takes the
    place of padding at the end, and what is left of it no window reaches.
    """
    if all(e < stride for e, stride in zip(extra, geometry.stride, strict=True)):
        return geometry, []
    taken = [min(e, after) for e, after in zip(extra, geometry.after, strict=True)]
    after = tuple(a - t for a, t in zip(geometry.after, taken, strict=True))
    left = [e - t for e, t in zip(extra, taken, strict=True)]
    return geometry._replace(after=after), [n for e in reversed(left) for n in (0, e)]


def _alike(axes: int, images: Tensor, weights: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return a batch of images, weights and bias of one dtype: their own, or autocast's."""
    for what, given in (("images", images), ("weights", weights), ("bias", bias)):
        if not isinstance(given, torch.Tensor) and not (given is None and what == "bias"):
            raise InputError(f"the {what} are {type(given).__name__}; a tensor was expected: convert them")
    if images.dim() not in (axes + 1, axes + 2) or weights.dim() != axes + 2:
        raise InputError(
            f"images have the shape {tuple(images.shape)} and weights {tuple(weights.shape)}; expected {axes + 2} axes "
            f"each, or {axes + 1} of the images without samples"
        )
    require_one_device(images=images, weights=weights, bias=bias)
    device = images.device.type
    # which torch's compiler looks up in newer versions only
    known = device in AUTOCAST or torch.amp.is_autocast_available(device)
    if known and torch.is_autocast_enabled(device):
        dtype = torch.get_autocast_dtype(device)
        images, weights = images.to(dtype), weights.to(dtype)
        bias = None if bias is None else bias.to(dtype)
    kinds = {t.dtype for t in (images, weights, bias) if t is not None}
    if len(kinds) > 1 or not images.dtype.is_floating_point:
        names = ", ".join(sorted(map(str, kinds)))
        raise InputError(f"images, weights and bias have the dtypes {names}; expected one of floating point")
    if 0 in weights.shape or 0 in images.shape[-axes - 1 :]:
        raise InputError(
            f"images have the shape {tuple(images.shape)} and weights {tuple(weights.shape)}; only samples may be none"
        )
    return (images if images.dim() == axes + 2 else images[None]), weights, bias


def _same_length(bias: Tensor | None, filters: int) -> None:
    if bias is not None and tuple(bias.shape) != (filters,):
        raise InputError(f"the bias has the shape {tuple(bias.shape)}; expected ({filters},), one number a filter")
