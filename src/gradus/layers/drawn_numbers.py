"""Random numbers for layers that draw: from torch's generator by way of a key, so that ``torch.manual_seed`` holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gradus.kernels.uniform_numbers import uniform_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


@torch.library.custom_op(
    "gradus::uniform", mutates_args=(), schema="(Tensor key, SymInt[] shape, ScalarType dtype) -> Tensor"
)
def _uniform(key: Tensor, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    return uniform_numbers(key, torch.Size(shape).numel(), dtype).reshape(shape)


@_uniform.register_fake
def _(key: Tensor, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    return key.new_empty(shape, dtype=dtype)


@_uniform.register_vmap
def _(info: Any, axes: tuple[Any, ...], key: Tensor, shape: Sequence[int], dtype: torch.dtype) -> tuple[Tensor, int]:
    return torch.stack([_uniform(one, shape, dtype) for one in key.unbind(axes[0])]), 0


def uniform(shape: Sequence[int], like: Tensor) -> Tensor:
    """Return numbers in [0, 1) on the device of ``like``, in its type, or in float32 where that is a half.

    Examples
    --------
    >>> uniform((2, 3), torch.zeros(1)).shape
    torch.Size([2, 3])
    """
    if torch.onnx.is_in_onnx_export():  # a file draws by the operator that ONNX has
        return torch.rand(shape, device=like.device, dtype=_drawn_in(like))
    key = torch.randint(2**32, (2,), device=like.device)
    found: Tensor = _uniform(key, shape, _drawn_in(like))
    return found


def _drawn_in(like: Tensor) -> torch.dtype:
    return torch.float32 if like.dtype in (torch.float16, torch.bfloat16) else like.dtype
