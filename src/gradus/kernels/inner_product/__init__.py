"""The inner product of two tensors of the same shape, summed in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.kernels import dispatch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["inner_product"]


def inner_product(left: Tensor, right: Tensor) -> float:
    """Return sum_i left_i right_i; each product and the sum are taken in float64.

    Cost: one pass over both, without a copy in float64 where they are contiguous.

    Parameters
    ----------
    left, right : floating point, of one shape and dtype

    Examples
    --------
    >>> import torch
    >>> inner_product(torch.ones(2, 2), torch.ones(2, 2))
    4.0
    """
    product: float = dispatch.load("inner_product", left.device.type).inner_product(left, right)
    return product
