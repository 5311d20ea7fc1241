"""The situations in which a pullback is looked at: as given, and at the edges where kernels go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.check.layouts import expanded, poisoned, transposed
from gradus.check.sizes import BLOCKS, fits, lengths, resized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from gradus.check.subject import Arrays

GIVEN = "as given"
LARGE = 1e4
# longer axes are cut to less than this, by whole blocks
MOST, BLOCK = 256, 128


def same(x: Tensor) -> Tensor:
    """Return ``x``."""
    return x


@dataclass(frozen=True)
class Case:
    """One situation.

    Attributes
    ----------
    name : what it is called in reports and in ``only``
    inputs : in the situation's values, sizes and layout
    upstream : lays an upstream out in memory
    about : "values", "sizes", "inputs in memory" or "upstream in memory": what differs from the inputs as given
    """

    name: str
    inputs: Arrays
    upstream: Callable[[Tensor], Tensor] = same
    about: str = "values"


def cases(inputs: Arrays, generator: torch.Generator) -> Iterator[Case]:
    """Yield every situation, the inputs as given first; what does not ask for their size is seen on fewer entries."""
    yield Case(GIVEN, inputs)
    inputs = resized(inputs, {length: kept(length) for length in lengths(inputs)}, generator)
    yield from _in_memory(inputs)
    yield from _values(inputs, generator)
    yield from _sizes(inputs, generator)


def kept(length: int) -> int:
    """Return a length at which the situations are seen quickly: large ones lose whole multiples of a block."""
    return length if length <= MOST else MOST - BLOCK + length % BLOCK


def _in_memory(inputs: Arrays) -> Iterator[Case]:
    if all(x.ndim == 0 for x in inputs):
        return
    for name, layout in (("transposed", transposed), ("between NaN", poisoned), ("expanded", expanded)):
        yield Case(f"upstream {name}", inputs, layout, "upstream in memory")
        floating = tuple(layout(x) if x.is_floating_point() else x for x in inputs)
        yield Case(f"inputs {name}", floating, same, "inputs in memory")


def _values(inputs: Arrays, generator: torch.Generator) -> Iterator[Case]:
    yield Case("ties", _each(inputs, lambda x: (2.0 * x).round() / 2.0))
    yield Case("a row of zeros", _each(inputs, _first_row_zero))
    yield Case("large values", _each(inputs, lambda x: x * (LARGE / _size(x))))
    signs = 2.0 * torch.randint(2, (), generator=generator) - 1.0
    yield Case("other values", _each(inputs, lambda x: x * (1.0 + 0.25 * signs) + 0.01 * _size(x)))


def _sizes(inputs: Arrays, generator: torch.Generator) -> Iterator[Case]:
    around = sorted({block + more for block in BLOCKS for more in (-1, 0, 1)})
    for length in lengths(inputs):
        for new in (1, 0, 2, 3, *around):
            change = {length: new}
            if new != length and length and fits(inputs, change):
                yield Case(f"size {length} as {new}", resized(inputs, change, generator), same, "sizes")


def _each(inputs: Arrays, change: Callable[[Tensor], Tensor]) -> Arrays:
    return tuple(change(x).to(x.dtype) if x.is_floating_point() else x for x in inputs)


def _first_row_zero(x: Tensor) -> Tensor:
    changed = x.clone()
    if x.ndim and len(x):
        changed[0] = 0.0
    return changed


def _size(x: Tensor) -> float:
    size = float(x.double().square().mean().sqrt()) if x.numel() else 1.0
    return size or 1.0
