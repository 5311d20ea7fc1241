"""A backward pass, right or wrong in one known way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

Tensors = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class Sample:
    """What is checked, and what is true of it.

    Attributes
    ----------
    operator : what the forward pass computes
    mistake : what was done to the backward pass, in words; "" where it is right
    kinds : the classes of findings that name the mistake; empty where it is right
    function, pullback : forward(*inputs), and backward(upstream, *inputs)
    inputs : at which it is checked
    """

    operator: str
    mistake: str
    kinds: tuple[str, ...]
    function: Callable[..., Any]
    pullback: Callable[..., Any]
    inputs: Tensors

    @property
    def name(self) -> str:
        """Operator and mistake."""
        return f"{self.operator}: {self.mistake or 'right'}"


@dataclass(frozen=True)
class Operator:
    """A forward pass at some inputs, from which samples are made."""

    name: str
    function: Callable[..., Any]
    inputs: Tensors

    def right(self, pullback: Callable[..., Any], how: str = "", inputs: Tensors | None = None) -> Sample:
        """Return a sample without a mistake."""
        name = f"{self.name} ({how})" if how else self.name
        return Sample(name, "", (), self.function, pullback, self.inputs if inputs is None else inputs)

    def wrong(self, mistake: str, kinds: str, pullback: Callable[..., Any]) -> Sample:
        """Return a sample with a mistake; ``kinds`` are separated by commas."""
        return Sample(self.name, mistake, tuple(kinds.split(", ")), self.function, pullback, self.inputs)


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Return normal deviates."""
    generator = torch.Generator().manual_seed(1000 * seed + 17 * len(shape) + sum(shape))
    return torch.randn(shape, generator=generator).to(dtype)


def raw(x: torch.Tensor) -> torch.Tensor:
    """Return what a kernel sees that takes a tensor's first address and believes the memory behind it contiguous."""
    needed = (x.storage_offset() + x.numel()) * x.element_size()
    if x.untyped_storage().nbytes() < needed:
        # a stride of 0: the kernel would read beyond the end; it sees the one number, then zeros
        seen = torch.zeros(x.shape, dtype=x.dtype)
        seen.view(-1)[:1] = x.reshape(-1)[:1]
        return seen
    contiguous = torch.empty(x.shape, device="meta").stride()
    return torch.as_strided(x, x.shape, contiguous, x.storage_offset()).nan_to_num(nan=0.0)


def blocks_only(gradient: torch.Tensor, block: int, axis: int = -1) -> torch.Tensor:
    """Return what a kernel writes that forgets the rest after the last whole block; a short axis is one block."""
    length = gradient.shape[axis]
    if length < block or length % block == 0:
        return gradient
    kept = gradient.clone()
    kept.narrow(axis, length // block * block, length % block).zero_()
    return kept
