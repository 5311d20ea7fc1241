"""New memory in large pages: the system clears and maps 2 MiB at a time instead of 4 KiB, half a layer's time."""

from __future__ import annotations

import ctypes
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

_LARGE_PAGES_WANTED = 14  # MADV_HUGEPAGE
_PAGE = 4096
_WORTH = 4 << 20


@lru_cache(maxsize=1)
def _advise() -> Any:
    return ctypes.CDLL(None).madvise if sys.platform == "linux" else None


def in_large_pages(tensor: Tensor) -> Tensor:
    """Return ``tensor``, whose memory nobody has written to yet, after asking the system for large pages."""
    size = tensor.numel() * tensor.element_size()
    if size >= _WORTH and _advise() is not None:
        first = -(-tensor.data_ptr() // _PAGE) * _PAGE
        whole = (tensor.data_ptr() + size - first) // _PAGE * _PAGE
        # advice: where the system does not follow it, nothing changes
        _advise()(ctypes.c_void_p(first), ctypes.c_size_t(whole), _LARGE_PAGES_WANTED)
    return tensor
