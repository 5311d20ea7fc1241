"""New memory in large pages: the system clears and maps 2 MiB at a time instead of 4 KiB, half a layer's time.

What is then written past the cache (see ``window_pooling.turning``) should not be what the system has just cleared, and
with it put into the cache: such a line takes three times as long. So threads let the system clear their parts first.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

_LARGE_PAGES_WANTED, CLEARED = 14, 23  # MADV_HUGEPAGE, MADV_POPULATE_WRITE
PAGE = 4096
_WORTH = 4 << 20


@cache
def _advise() -> Any:
    """Return madvise(2), which Python calls without its lock; what the system does not know it does not follow."""
    if sys.platform != "linux":
        return None
    found = ctypes.CDLL(None).madvise
    found.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return found


def in_large_pages(tensor: Tensor) -> Tensor:
    """Return ``tensor``, whose memory nobody has written to yet, after asking the system for large pages."""
    size = tensor.numel() * tensor.element_size()
    if size >= _WORTH and _advise() is not None:
        first = -(-tensor.data_ptr() // PAGE) * PAGE
        whole = (tensor.data_ptr() + size - first) // PAGE * PAGE
        _advise()(first, whole, _LARGE_PAGES_WANTED)
    return tensor


@cache
def address_of_advise() -> int:
    """Return where madvise(2) lies, for compiled code, or 0 where the system has none."""
    return 0 if _advise() is None else ctypes.cast(_advise(), ctypes.c_void_p).value or 0
