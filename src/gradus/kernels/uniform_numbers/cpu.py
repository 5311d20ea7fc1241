"""Philox on a processor: several blocks in each vector register, shared among threads."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradus.kernels.compilation import compiled
from gradus.kernels.large_pages import in_large_pages
from gradus.kernels.threads import each_part
from gradus.kernels.uniform_numbers import constants
from gradus.kernels.uniform_numbers.constants import DOUBLE_UNIT, LOW_RANGE, ROUNDS, SINGLE_UNIT

if TYPE_CHECKING:
    from torch import Tensor

FIRST, SECOND = (np.uint64(n) for n in constants.MULTIPLIERS)
FIRST_STEP, SECOND_STEP = (np.uint64(n) for n in constants.STEPS)
WORD, HALF = np.uint64(constants.WORD), np.uint64(32)
DROPPED = np.uint64(constants.DROPPED)
DROPPED_HIGH, DROPPED_LOW = np.uint64(constants.DROPPED_HIGH), np.uint64(constants.DROPPED_LOW)
# so many parts of the work to hand out, whatever the number of threads
PARTS = 64


@compiled(inline="always")
def _philox(block: Any, first: Any, second: Any) -> Any:
    """Return the four words of a block, each a uint64 below 2^32."""
    a, b, c, d = block & WORD, block >> HALF, np.uint64(0), np.uint64(0)
    for _ in range(ROUNDS):
        left, right = (a & WORD) * FIRST, (c & WORD) * SECOND
        a, b = (right >> HALF) ^ b ^ first, right & WORD
        c, d = (left >> HALF) ^ d ^ second, left & WORD
        first, second = (first + FIRST_STEP) & WORD, (second + SECOND_STEP) & WORD
    return a & WORD, b, c & WORD, d


@compiled()
def _singles(out: Any, first: Any, second: Any, begin: int, end: int) -> None:
    """Set the numbers of blocks ``begin`` to ``end``; out : (4, blocks) float32."""
    lines, unit = (out[0], out[1], out[2], out[3]), np.float32(SINGLE_UNIT)
    for step in range(end - begin):
        # an index that may be negative would keep the loop from being vectorised
        block = np.uint64(begin) + np.uint64(step)
        words = _philox(block, first, second)
        lines[0][block] = np.float32(np.int32(words[0] >> DROPPED)) * unit
        lines[1][block] = np.float32(np.int32(words[1] >> DROPPED)) * unit
        lines[2][block] = np.float32(np.int32(words[2] >> DROPPED)) * unit
        lines[3][block] = np.float32(np.int32(words[3] >> DROPPED)) * unit


@compiled(inline="always")
def _double(first: Any, second: Any) -> Any:
    high, low = np.int64(first >> DROPPED_HIGH), np.int64(second >> DROPPED_LOW)
    return (np.float64(high) * LOW_RANGE + np.float64(low)) * DOUBLE_UNIT


@compiled()
def _doubles(out: Any, first: Any, second: Any, begin: int, end: int) -> None:
    """Set the numbers of blocks ``begin`` to ``end``; out : (2, blocks) float64."""
    upper, lower = out[0], out[1]
    for step in range(end - begin):
        block = np.uint64(begin) + np.uint64(step)
        words = _philox(block, first, second)
        upper[block] = _double(words[0], words[1])
        lower[block] = _double(words[2], words[3])


def uniform_numbers(key: Tensor, count: int, dtype: torch.dtype) -> Tensor:
    """Return random numbers; see the package."""
    words = 2 if dtype == torch.float64 else 4
    blocks = -(-count // words)
    found = in_large_pages(torch.empty((words, blocks), dtype=dtype))
    lines, (first, second) = found.numpy(), (np.uint64(word) for word in key.tolist())
    work = _doubles if words == 2 else _singles
    stops = [blocks * part // PARTS for part in range(PARTS + 1)]
    each_part(list(pairwise(stops)), lambda part: work(lines, first, second, *part), 4 * count)
    return found.reshape(-1)[:count]
