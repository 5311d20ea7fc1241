"""Random numbers in [0, 1) that depend on a key and a place alone: Philox 4x32 with 10 rounds.

``torch.rand`` draws one number after the other on one thread, which takes longer than pooling does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradus.kernels import dispatch

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["uniform_numbers"]


def uniform_numbers(key: Tensor, count: int, dtype: torch.dtype) -> Tensor:
    """Return ``count`` numbers, uniform in [0, 1), of as many random bits as ``dtype`` has digits.

    Block b of four words is Philox of the counter (b mod 2^32, b div 2^32, 0, 0). With B blocks in all, number w B + b
    is made of its word w; in float64 of its words 2 w and 2 w + 1.

    Cost: one pass over the result, shared among threads; the same bits with any number of them, on any device.

    Parameters
    ----------
    key : (2,) int64 within [0, 2^32)
    dtype : float32 or float64

    References
    ----------
    Salmon, Moraes, Dror & Shaw 2011, Parallel random numbers: as easy as 1, 2, 3

    Examples
    --------
    >>> import torch
    >>> uniform_numbers(torch.tensor([0, 0]), 2, torch.float32)
    tensor([0.3990, 0.8805])
    """
    run: Any = dispatch.load("uniform_numbers", key.device.type).uniform_numbers
    found: Tensor = run(key, count, dtype)
    return found
