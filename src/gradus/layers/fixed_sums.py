"""Sums of the same bits on any number of threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

# torch gives a sum of so few to one thread, and the sums along rows to one thread for each row
LINE = 16384


def total(values: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Return the sum of all entries, in ``dtype`` if given: of lines of a fixed length, then of the lines' sums.

    ``Tensor.sum`` divides a long sum among threads, and rounds otherwise on another number of them.

    Examples
    --------
    >>> import torch
    >>> total(torch.ones(3, 20000))
    tensor(60000.)
    """
    # in the order of memory where channels come last, without a copy
    flat = (values if values.is_contiguous() or values.dim() < 3 else values.movedim(1, -1)).reshape(-1)
    whole = flat.shape[0] // LINE * LINE
    lines = flat[:whole].reshape(-1, LINE).sum(1, dtype=dtype)
    return lines.sum() + flat[whole:].sum(dtype=dtype)
