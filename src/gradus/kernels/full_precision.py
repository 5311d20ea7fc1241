"""Products of float32 in float32, whatever shortcut has been allowed elsewhere in the process."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def full_float32() -> Iterator[None]:
    """Multiply float32 on a GPU with all of its 24 bits inside this block, also where TF32 is allowed outside.

    TF32 rounds what is multiplied to 11 bits. A line search, which compares values that differ by a millionth, then
    finds no step that descends, and fits stop far from the optimum.

    Examples
    --------
    >>> with full_float32():
    ...     torch.backends.cuda.matmul.fp32_precision == "tf32"
    False
    """
    if torch.backends.cuda.matmul.fp32_precision != "tf32":
        yield
        return
    _allow_tf32(allowed=False)
    try:
        yield
    finally:
        _allow_tf32(allowed=True)


def _allow_tf32(*, allowed: bool) -> None:
    with warnings.catch_warnings():
        # torch has two settings for this, and warns of the older, which alone keeps both in step
        warnings.simplefilter("ignore")
        torch.backends.cuda.matmul.allow_tf32 = allowed
