"""Isotonic regression: the nearest sequence that never rises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.core.errors import InputError
from gradus.kernels import dispatch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["nonincreasing"]


def nonincreasing(rows: Tensor) -> Tensor:
    """Return for each row y the sequence x_1 >= x_2 >= ... >= x_n that minimises sum_i (x_i - y_i)^2.

    Pool adjacent violators: neighbours in the wrong order are replaced by their mean, until none are. O(n) a row.

    Parameters
    ----------
    rows : (rows, n) float64

    Raises
    ------
    InputError : if the shape or type is another

    References
    ----------
    Ayer, Brunk, Ewing, Reid & Silverman 1955; Best & Chakravarti 1990, Active set algorithms for isotonic regression

    Examples
    --------
    >>> import torch
    >>> nonincreasing(torch.tensor([[3.0, 1.0, 2.0]], dtype=torch.float64)).tolist()
    [[3.0, 1.5, 1.5]]
    """
    if rows.ndim != 2 or not rows.dtype.is_floating_point or rows.element_size() != 8:
        raise InputError(f"rows are {tuple(rows.shape)} {rows.dtype}; (rows, n) torch.float64 was expected")
    result: Tensor = dispatch.load("isotonic", rows.device.type).nonincreasing(rows)
    return result
