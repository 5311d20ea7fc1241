"""The inner product in one line of torch, on any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def inner_product(left: Tensor, right: Tensor) -> float:
    """Return the inner product; see the package."""
    return (left.double() * right.double()).sum().item()
