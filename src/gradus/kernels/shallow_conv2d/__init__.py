"""Convolutions of images of few channels, as the first of a network is, and their gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.kernels import dispatch
from gradus.kernels.shallow_conv2d.plan import Plan

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Plan", "gradients", "product"]


def product(images: Tensor, weights: Tensor, bias: Tensor | None, plan: Plan) -> Tensor:
    """Return y[n,o,h,w] = b_o + sum_{c,i,j} W[o,c,i,j] x[n, c, h s - p + i d, w s - p + j d].

    It does not depend on the number of threads.

    Parameters
    ----------
    images : x, (samples, channels, height, width), float32 or float64
    weights : W, (filters, channels, *plan.kernel), the same dtype
    bias : b, (filters,), the same dtype; None for 0
    plan : the geometry

    Examples
    --------
    >>> import torch
    >>> plan = Plan((1, 2), (1, 1), (1, 1), (0, 0), (0, 0))
    >>> product(torch.tensor([[[[1.0, 2.0, 4.0]]]]), torch.ones(1, 1, 1, 2), None, plan)
    tensor([[[[3., 6.]]]])
    """
    found: Tensor = dispatch.load("shallow_conv2d", images.device.type).product(images, weights, bias, plan)
    return found


def gradients(
    upstream: Tensor, images: Tensor, weights: Tensor, plan: Plan, wanted: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """Return the gradients of <u, y> with respect to the images and the weights, those that are ``wanted``, else None.

    y[n,o,h,w] = sum_{c,i,j} W[o,c,i,j] x[n, c, h s - p + i d, w s - p + j d]
    dW[o,c,i,j] = sum_{n,h,w} u[n,o,h,w] x[n, c, h s - p + i d, w s - p + j d], and dx the sum of W u over the places
    where an entry is read. Neither depends on the number of threads. General libraries are made for many channels.

    Parameters
    ----------
    upstream : u, (samples, filters, rows, columns), float32 or float64
    images : x, (samples, channels, height, width), the same dtype
    weights : W, (filters, channels, *plan.kernel), the same dtype
    plan : the geometry
    wanted : of the images, of the weights

    Examples
    --------
    >>> import torch
    >>> plan = Plan((2, 2), (1, 1), (1, 1), (0, 0), (0, 0))
    >>> images = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> gradients(torch.ones(1, 1, 1, 1), images, torch.ones(1, 1, 2, 2), plan, (True, True))
    (tensor([[[[1., 1.],
              [1., 1.]]]]), tensor([[[[1., 2.],
              [3., 4.]]]]))
    """
    implementation = dispatch.load("shallow_conv2d", images.device.type)
    found: tuple[Tensor | None, Tensor | None] = implementation.gradients(upstream, images, weights, plan, wanted)
    return found
