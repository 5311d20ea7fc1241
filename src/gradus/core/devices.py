"""Processor cores and accelerators: how many there are, how many are used."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from gradus.core.errors import InputError, UnavailableError

if TYPE_CHECKING:
    import torch
    from torch import Tensor


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


def working_device(name: Any) -> torch.device:
    """Return a device that holds numbers here; None is "cuda" where there is one, else "cpu".

    Raises
    ------
    InputError : if torch knows no device of this name
    UnavailableError : if it is not there, or holds no numbers

    Examples
    --------
    >>> working_device("cpu")
    device(type='cpu')
    """
    import torch

    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    except (RuntimeError, TypeError) as error:
        raise InputError(f"device is {name!r}; expected None or a device of torch, such as 'cpu' or 'cuda'") from error
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise UnavailableError(f"device is {name!r}, which does not work here ({reason}): give 'cpu'") from error
    return device


def require_one_device(**tensors: Tensor | None) -> None:
    """Raise unless all tensors are on the device of the first; None stands for none.

    Raises
    ------
    InputError : if one is on another device, in the words that they are passed under

    Examples
    --------
    >>> import torch
    >>> require_one_device(x=torch.zeros(2), weights=torch.zeros(2, device="meta"))
    Traceback (most recent call last):
    gradus.core.errors.InputError: x is on cpu and weights on meta: move one of them, as by .to('cpu')
    """
    first: tuple[str, Tensor] | None = None
    for name, tensor in tensors.items():
        if tensor is None:
            continue
        if first is None:
            first = name, tensor
        elif tensor.device != first[1].device:
            there = first[1].device
            raise InputError(
                f"{first[0]} is on {there} and {name} on {tensor.device}: move one of them, as by .to('{there}')"
            )
