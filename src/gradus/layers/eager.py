"""Whether anybody but autograd wants to know that a layer is called: else it need not be announced to torch."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from gradus.kernels import dispatch

_KINDS = (Tensor, torch.nn.Parameter)
# torch has no public word for most of what is asked here, and none of it for type checkers
_torch: Any = torch._C


def is_plain(x: Any) -> bool:
    """Return whether a tensor on the processor is asked for nothing but the value of what is made of it.

    That is ``is_eager``, and no gradient is wanted.
    """
    if x is None or torch.compiler.is_compiling() or not _is_known() or not _is_memory(x, "cpu"):
        return False
    return not (x.requires_grad and torch.is_grad_enabled()) and not _is_watched()


def is_eager(*given: Any) -> bool:
    """Return whether nobody but autograd need be told of what is done to tensors on one device; None stands for none.

    Nobody compiles, exports, traces, maps, records or replaces what torch is told to do: for those a layer is an
    operator of torch, whose announcement takes longer than the work on a small input.
    """
    if torch.compiler.is_compiling() or not _is_known():
        return False
    here, there = False, None
    for x in given:
        if x is None:
            continue
        if _is_memory(x, "cpu"):
            here = True
        elif type(x) in _KINDS and x.is_cuda and _is_memory(x, "cuda") and (there is None or there == x.device):
            there = x.device
        else:
            return False
    return not (here and there is not None) and not _is_watched()


def _is_memory(x: Any, device_type: str) -> bool:
    """Return whether ``x`` is a tensor, or a parameter, of numbers in the memory of a device.

    No batch of vmap, no negative of what is stored, no zeros without memory, no sparse numbers, no other device.
    """
    return type(x) in _KINDS and _torch._dispatch_keys(x).raw_repr() in _keys_of_memory(device_type)


def _is_watched() -> bool:
    """Return whether anybody wants to be told of every operation, or has forced an implementation."""
    return bool(
        _torch._len_torch_dispatch_stack()
        or _torch._len_torch_function_stack()
        or _torch._functorch.peek_interpreter_stack() is not None
        or _torch._get_tracing_state() is not None
        or forward_ad._current_level >= 0
        or _torch._autograd._profiler_enabled()
        or dispatch.is_forced()
    )


@cache
def _is_known() -> bool:
    """Return whether this torch has all the words that are used here; a layer is announced to one that has not."""
    try:
        _is_watched()
        return bool(_keys_of_memory("cpu"))
    except AttributeError:
        return False


@cache
def _keys_of_memory(device_type: str) -> frozenset[int]:
    """Return what torch dispatches by where a tensor is numbers in memory, made outside of inference mode or inside."""
    found = []
    for inference in (False, True):
        with torch.inference_mode(inference):
            made = torch.empty(0, device=device_type)
            found.append(_torch._dispatch_keys(made).raw_repr())
    return frozenset(found)
