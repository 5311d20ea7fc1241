"""How much is worked on at a time: what a processor's cache holds, or enough to keep a GPU busy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

# on a GPU: half a gigabyte of float32, so that a pass over large data is some dozen launches, and its workspace small
NUMBERS = 134_217_728


def portion(device: torch.device, cached: int) -> int:
    """Return how many numbers to work on together on ``device``: ``cached`` on a processor, far more elsewhere.

    Examples
    --------
    >>> import torch
    >>> portion(torch.device("cpu"), 1000), portion(torch.device("cuda"), 1000)
    (1000, 134217728)
    """
    return cached if device.type == "cpu" else max(cached, NUMBERS)


def row_blocks(rows: int, width: int) -> list[slice]:
    """Return ``rows`` in consecutive blocks of at most ``NUMBERS`` numbers, for rows of ``width``.

    Examples
    --------
    >>> row_blocks(3, 100_000_000)
    [slice(0, 1, None), slice(1, 2, None), slice(2, 3, None)]
    """
    step = max(NUMBERS // max(width, 1), 1)
    return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]
