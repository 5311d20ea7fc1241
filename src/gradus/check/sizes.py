"""The same inputs at other sizes: every axis of one length grows or shrinks together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradus.check.subject import Arrays

# lengths around which blocks end
BLOCKS = (16, 32, 64, 128)
# the most entries an input may have after it grew
LARGEST = 1 << 16


def lengths(inputs: Arrays) -> list[int]:
    """Return the distinct lengths of the inputs' axes, in order of appearance.

    Examples
    --------
    >>> lengths((torch.zeros(3, 4), torch.zeros(4, 5)))
    [3, 4, 5]
    """
    return list(dict.fromkeys(length for x in inputs for length in x.shape))


def resized(inputs: Arrays, new: Mapping[int, int], generator: torch.Generator) -> Arrays:
    """Return the inputs with every axis of a length in ``new`` given its new length.

    Entries are repeated where an axis grows, and shaken by a few percent so that no two are equal.
    """
    return tuple(_resized(x, new, generator) for x in inputs)


def fits(inputs: Arrays, new: Mapping[int, int]) -> bool:
    """Tell whether no input gets too large."""
    sizes = [torch.Size(new.get(length, length) for length in x.shape).numel() for x in inputs]
    return max(sizes, default=0) <= LARGEST


def _resized(x: Tensor, new: Mapping[int, int], generator: torch.Generator) -> Tensor:
    grown = False
    for axis, length in enumerate(x.shape):
        wanted = new.get(length, length)
        if wanted == length:
            continue
        if length == 0:
            return x
        grown = grown or wanted > length
        x = x.index_select(axis, torch.arange(wanted) % length)
    if not (grown and x.is_floating_point()):
        return x.clone()
    shake = 1.0 + 0.05 * torch.rand(x.shape, generator=generator, dtype=torch.float64)
    return (x.double() * shake).to(x.dtype)
