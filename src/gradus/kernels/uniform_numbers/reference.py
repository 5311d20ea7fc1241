"""Philox in torch, on any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradus.kernels.uniform_numbers.constants import (
    DOUBLE_UNIT,
    DROPPED,
    DROPPED_HIGH,
    DROPPED_LOW,
    LOW_RANGE,
    MULTIPLIERS,
    ROUNDS,
    SINGLE_UNIT,
    STEPS,
    WORD,
)

if TYPE_CHECKING:
    from torch import Tensor


def uniform_numbers(key: Tensor, count: int, dtype: torch.dtype) -> Tensor:
    """Return random numbers; see the package."""
    double = dtype == torch.float64
    block = torch.arange(-(-count // (2 if double else 4)), device=key.device)
    nothing = torch.zeros_like(block)
    words = philox((block & WORD, block >> 32, nothing, nothing), (key[0], key[1]))
    if not double:
        return torch.cat(words)[:count].bitwise_right_shift(DROPPED).to(dtype) * SINGLE_UNIT
    high, low = (torch.cat(words[part::2])[:count] for part in (0, 1))
    return ((high >> DROPPED_HIGH).to(dtype) * LOW_RANGE + (low >> DROPPED_LOW).to(dtype)) * DOUBLE_UNIT


def philox(counter: tuple[Tensor, ...], key: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Return the four words of each counter, int64 within [0, 2^32) as the counter's words and the key's are."""
    (a, b, c, d), (first, second) = counter, key
    for _ in range(ROUNDS):
        # an int64 that overflows keeps its bits
        left, right = a * MULTIPLIERS[0], c * MULTIPLIERS[1]
        a, b, c, d = ((right >> 32) ^ b ^ first) & WORD, right & WORD, ((left >> 32) ^ d ^ second) & WORD, left & WORD
        first, second = (first + STEPS[0]) & WORD, (second + STEPS[1]) & WORD
    return a, b, c, d
