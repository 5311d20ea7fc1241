"""Processor cores and accelerators: how many there are, how many are used."""

from __future__ import annotations

import os

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
    os.environ["NUMBA_NUM_THREADS"] = str(count)  # numba is not loaded yet where this is called first
    import torch

    torch.set_num_threads(count)
