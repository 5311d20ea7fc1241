"""The taut string a row at a time, on any device."""

from __future__ import annotations

from collections import deque
from itertools import accumulate

import torch
from torch import Tensor

Piece = tuple[float, int]


def taut_string(rows: Tensor, radius: float) -> Tensor:
    """Return the taut strings' slopes; see the package."""
    strings = [_string(row, radius) for row in rows.tolist()]
    return torch.tensor(strings, dtype=rows.dtype, device=rows.device).reshape(rows.shape)


def _string(row: list[float], radius: float) -> list[float]:
    if not row:
        return []
    mean = sum(row) / len(row)
    # so wide a tube holds the straight string, and would drown the signal in rounding errors
    if radius >= max(abs(total) for total in accumulate(number - mean for number in row)):
        return [mean] * len(row)
    upper: deque[Piece] = deque()
    lower: deque[Piece] = deque()
    done: list[Piece] = []
    for i, number in enumerate(row):
        # the tube has its width everywhere but at its two ends
        opened = radius * ((i == 0) - (i == len(row) - 1))
        _extend(upper, number + opened, 1.0)
        _extend(lower, number - opened, -1.0)
        while _close(upper, lower, 1.0, done) or _close(lower, upper, -1.0, done):
            pass
    done.extend(upper if len(upper) <= len(lower) else lower)
    return [total / length for total, length in done for _ in range(length)]


def _extend(chain: deque[Piece], number: float, bend: float) -> None:
    """Add a piece of length 1, and join pieces until the slopes rise (bend 1) or fall (bend -1)."""
    total, length = number, 1
    while chain and bend * chain[-1][0] / chain[-1][1] >= bend * total / length:
        before, count = chain.pop()
        total, length = total + before, length + count
    chain.append((total, length))


def _close(straight: deque[Piece], other: deque[Piece], bend: float, done: list[Piece]) -> bool:
    """Go along the other chain's first piece where the straight one has crossed it, and say whether it has."""
    if len(straight) > 1 or len(other) == 1:
        return False
    (total, length), (first, count) = straight[0], other[0]
    if bend * total / length >= bend * first / count:
        return False
    done.append(other.popleft())
    straight[0] = (total - first, length - count)
    return True
