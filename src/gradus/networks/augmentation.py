"""Images moved and mirrored at random, so that a network sees each a little differently every time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Augmentation:
    """Every image is moved by whole pixels, and perhaps mirrored; what comes in at an edge is the reflection there.

    Each of the (2 shift + 1)^2 moves, mirrored or not, is made of equally many images of a batch, as far as that goes:
    which images is random, since batches are.

    Attributes
    ----------
    shift : most pixels up, down, left or right; >= 0, and less than the images' sides
    flip : whether half of the images are mirrored, left to right
    """

    shift: int = 0
    flip: bool = False

    def __call__(self, images: Tensor, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Return the images at ``rows``, (rows, height, width, channels), moved; a copy.

        Examples
        --------
        >>> images = torch.arange(3.0).reshape(1, 1, 3, 1)
        >>> moved = Augmentation(shift=1)(images, torch.tensor([0] * 9), torch.Generator().manual_seed(0))
        >>> sorted(set(map(tuple, moved.flatten(1).tolist())))
        [(0.0, 1.0, 2.0), (1.0, 0.0, 1.0), (1.0, 2.0, 1.0)]
        """
        rows = rows.to(images.device)
        moves = self._moves(images)
        if len(moves) == 1:
            return images[rows]
        moved = images.new_empty((len(rows), *images.shape[1:]))
        cuts = torch.linspace(0, len(rows), len(moves) + 1).round().long().tolist()
        for place, move in enumerate(torch.randperm(len(moves), generator=generator).tolist()):
            part = slice(cuts[place], cuts[place + 1])
            up, left = moves[move]
            moved[part] = images[rows[part]].index_select(1, up).index_select(2, left)
        return moved

    def _moves(self, images: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return for every move which row and which column of an image each of its pixels comes from."""
        height, width = (torch.arange(size, device=images.device) for size in images.shape[1:3])
        upright, sideways = _reflected(height, self.shift), _reflected(width, self.shift)
        mirrored = [column.flip(0) for column in sideways] if self.flip else []
        return [(up, left) for up in upright for left in sideways + mirrored]


def _reflected(places: Tensor, shift: int) -> list[Tensor]:
    """Return for every move along an axis where each of its places, 0 to its end, looks, reflected at the ends."""
    size = len(places)
    most = min(shift, size - 1)
    moved = (places + move for move in range(-most, most + 1))
    return [(size - 1 - (size - 1 - place.abs()).abs()) for place in moved]
