"""Where to look: signed random directions over the whole of an input, its rows, tiles, edges and single entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

TILE = 32
# of a large input, where every look costs more and single entries say less, fewer places are looked at
ROWS, TILES, ENTRIES = 2, 2, 4
LARGE = 100_000


class Direction(NamedTuple):
    """A direction (shape of the input, float64) that is 0 outside the region it is named after."""

    region: str
    vector: Tensor


def directions(shape: torch.Size, generator: torch.Generator) -> Iterator[Direction]:
    """Yield the directions in which an input of this shape is looked at, the whole first.

    Entries are of random sign and of sizes between 1/2 and 3/2, so that no two entries' errors cancel by design.
    """
    if not shape.numel():
        return
    large = shape.numel() > LARGE
    yield Direction("everywhere", signed(shape, generator))
    if shape.numel() == 1:
        return
    for name, index in _regions(shape, generator):
        mask = torch.zeros(shape, dtype=torch.float64)
        mask[index] = 1.0
        yield Direction(name, mask * signed(shape, generator))
    for _ in range(min(1 if large else TILES, shape.numel() // TILE)):
        start = int(torch.randint(shape.numel() - TILE + 1, (), generator=generator))
        yield Direction("a tile", _flat(shape, torch.arange(start, start + TILE), generator))
    for entry in torch.randperm(shape.numel(), generator=generator)[: 1 if large else ENTRIES]:
        yield Direction("an entry", _flat(shape, entry[None], generator))


def signed(shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Return random signs times random sizes in [1/2, 3/2), float64."""
    sizes = 0.5 + torch.rand(shape, generator=generator, dtype=torch.float64)
    return sizes * (2.0 * torch.randint(2, shape, generator=generator) - 1.0)


def _regions(shape: torch.Size, generator: torch.Generator) -> Iterator[tuple[str, tuple[slice | int, ...]]]:
    for axis, length in enumerate(shape):
        before = (slice(None),) * axis
        if length > 1:
            yield f"the first of axis {axis}", (*before, 0)
            yield f"the last of axis {axis}", (*before, length - 1)
        if length > TILE and length % TILE:
            yield f"the rest of axis {axis} after blocks of {TILE}", (*before, slice(length // TILE * TILE, None))
    for _ in range(0 if shape[0] <= 2 else 1 if shape.numel() > LARGE else ROWS):
        row = int(torch.randint(1, shape[0] - 1, (), generator=generator))
        yield f"row {row}", (row,)


def _flat(shape: torch.Size, positions: Tensor, generator: torch.Generator) -> Tensor:
    vector = torch.zeros(shape.numel(), dtype=torch.float64)
    vector[positions] = signed(positions.shape, generator)
    return vector.reshape(shape)
