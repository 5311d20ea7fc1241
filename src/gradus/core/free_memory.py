"""Memory that is free, and which the C library keeps for later, goes back to the system."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any


def give_back() -> None:
    """Return to the system what glibc keeps of freed memory; elsewhere nothing.

    Once a large array has been freed, glibc takes arrays up to that size from its heaps, where what one phase of a fit
    leaves behind rarely fits what the next one asks for: resident memory grows though little is in use.

    Cost: well below a millisecond, and the pages that are used again are asked for again.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
