"""Convolutional layers to put in the place of torch's.

They are torch's own modules with another forward: what asks ``isinstance(layer, torch.nn.Conv2d)``, an initialisation,
a summary, ``prune_channels``, goes on working, and so do files of weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn
from torch.nn import functional

from gradus.layers import convolution
from gradus.layers.axes import pairs
from gradus.layers.convolution_geometry import same_sides, sliding

if TYPE_CHECKING:
    from torch import Tensor


class Conv1d(nn.Conv1d):
    """``torch.nn.Conv1d`` with the closed forms of ``gradus.layers.conv1d``.

    Examples
    --------
    >>> import torch
    >>> Conv1d(2, 4, 3, padding="same")(torch.zeros(1, 2, 9)).shape
    torch.Size([1, 4, 9])
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # noqa: A002
        x, padding = _padded(self, input)
        return convolution.conv1d(x, weight, bias, self.stride, padding, self.dilation, self.groups)


class Conv2d(nn.Conv2d):
    """``torch.nn.Conv2d`` with the closed forms of ``gradus.layers.conv2d``; ``padding`` may be pairs (before, after).

    Examples
    --------
    >>> import torch
    >>> Conv2d(1, 4, 3, padding=((0, 1), (1, 1)))(torch.zeros(1, 1, 9, 9)).shape
    torch.Size([1, 4, 8, 9])
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # noqa: A002
        x, padding = _padded(self, input)
        return convolution.conv2d(x, weight, bias, self.stride, padding, self.dilation, self.groups)


class Conv3d(nn.Conv3d):
    """``torch.nn.Conv3d`` with the closed forms of ``gradus.layers.conv3d``.

    Examples
    --------
    >>> import torch
    >>> Conv3d(1, 2, 3)(torch.zeros(1, 1, 5, 5, 5)).shape
    torch.Size([1, 2, 3, 3, 3])
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # noqa: A002
        x, padding = _padded(self, input)
        return convolution.conv3d(x, weight, bias, self.stride, padding, self.dilation, self.groups)


class ConvTranspose1d(nn.ConvTranspose1d):
    """``torch.nn.ConvTranspose1d`` with the closed forms of ``gradus.layers.conv_transpose1d``.

    Examples
    --------
    >>> import torch
    >>> ConvTranspose1d(4, 2, 2, stride=2)(torch.zeros(1, 4, 5)).shape
    torch.Size([1, 2, 10])
    """

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:  # noqa: A002
        """Return the transposed convolution, of ``output_size`` if that is given."""
        return convolution.conv_transpose1d(input, self.weight, self.bias, *_transposed(self, input, output_size))


class ConvTranspose2d(nn.ConvTranspose2d):
    """``torch.nn.ConvTranspose2d`` with the closed forms of ``gradus.layers.conv_transpose2d``.

    Examples
    --------
    >>> import torch
    >>> ConvTranspose2d(4, 2, 2, stride=2)(torch.zeros(1, 4, 5, 5)).shape
    torch.Size([1, 2, 10, 10])
    """

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:  # noqa: A002
        """Return the transposed convolution, of ``output_size`` if that is given."""
        return convolution.conv_transpose2d(input, self.weight, self.bias, *_transposed(self, input, output_size))


class ConvTranspose3d(nn.ConvTranspose3d):
    """``torch.nn.ConvTranspose3d`` with the closed forms of ``gradus.layers.conv_transpose3d``.

    Examples
    --------
    >>> import torch
    >>> ConvTranspose3d(4, 2, 2, stride=2)(torch.zeros(1, 4, 3, 3, 3)).shape
    torch.Size([1, 2, 6, 6, 6])
    """

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:  # noqa: A002
        """Return the transposed convolution, of ``output_size`` if that is given."""
        return convolution.conv_transpose3d(input, self.weight, self.bias, *_transposed(self, input, output_size))


def _padded(layer: Any, images: Tensor) -> tuple[Tensor, Any]:
    """Return the images with a border that is not of zeros, and the zeros that are left to add."""
    if layer.padding_mode == "zeros":
        return images, layer.padding
    given = layer.stride, layer.padding, layer.dilation, layer.groups
    padding = same_sides(images.shape[-len(layer.kernel_size) :], layer.kernel_size, given)
    geometry = sliding(layer.kernel_size, layer.stride, padding, layer.dilation, layer.groups)
    sides = zip(reversed(geometry.before), reversed(geometry.after), strict=True)
    return functional.pad(images, [n for side in sides for n in side], mode=layer.padding_mode), 0


def _transposed(layer: Any, images: Tensor, output_size: list[int] | None) -> tuple[Any, ...]:
    axes = len(layer.kernel_size)
    before, _ = pairs(layer.padding, axes)
    extra = layer._output_padding(
        *(images, output_size, layer.stride, before, layer.kernel_size, axes, layer.dilation),
    )
    return layer.stride, layer.padding, tuple(extra), layer.groups, layer.dilation
