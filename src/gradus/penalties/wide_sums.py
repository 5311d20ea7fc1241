"""Sums of a function of every entry in float64, without a copy of the point in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

# entries that are widened at a time
PART = 16_384


def wide_sum(point: Tensor, term: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the sum of ``term`` over the entries, a float64 scalar; ``term`` is given some of them, in float64.

    Examples
    --------
    >>> wide_sum(torch.tensor([[1.0, -2.0]]), torch.abs).item()
    3.0
    """
    if point.numel() <= PART:
        return term(point.double()).sum()
    flat = point.reshape(-1)
    # in memory asked for beforehand: what is kept between the parts would hinder their memory from being used again
    sums = point.new_empty(-(-len(flat) // PART), dtype=torch.float64)
    for number, part in enumerate(torch.split(flat, PART)):
        sums[number] = term(part.double()).sum()
    return sums.sum()
