"""Processor cores and accelerators: how many there are, how many are used."""

from __future__ import annotations

import os
import sys

from gradus.core.errors import InputError


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def use_threads(count: int | None) -> None:
    """Let torch and numba use ``count`` threads; None leaves them as they are.

    Raises
    ------
    InputError : if ``count`` is not between 1 and the number of cores
    """
    if count is None:
        return
    cores = available_cores()
    if not 1 <= count <= cores:
        raise InputError(f"--threads is {count}, but this machine offers 1 to {cores}: give a number in that range")
    numba = sys.modules.get("numba")
    if numba is None:
        # read once, when numba is loaded
        os.environ["NUMBA_NUM_THREADS"] = str(count)
    else:
        numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))
    import torch

    torch.set_num_threads(count)
