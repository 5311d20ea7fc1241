"""Labelled images in memory, and the batches in which an epoch goes through them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from gradus.networks.augmentation import Augmentation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor


STILL = Augmentation()
# the share of a device's free memory that images may take
ROOM = 0.25


class Batch(NamedTuple):
    """Some images, (rows, channels, height, width) float32 with channels last in memory, their codes and weights."""

    images: Tensor
    codes: Tensor
    weights: Tensor


@dataclass(frozen=True)
class LabelledImages:
    """What a network learns from.

    Attributes
    ----------
    pixels : (samples, height, width, channels) uint8 or float32, contiguous
    codes : (samples,) int64 classes
    weights : (samples,) float32, not negative, mean 1
    """

    pixels: Tensor
    codes: Tensor
    weights: Tensor

    def __len__(self) -> int:
        return len(self.codes)

    def at(self, rows: Tensor) -> LabelledImages:
        """Return the images at ``rows``, with weights of mean 1 again."""
        weights = self.weights[rows]
        return LabelledImages(self.pixels[rows], self.codes[rows], weights / weights.mean())

    def near(self, device: torch.device) -> LabelledImages:
        """Return the images on a device, if they take no more than a quarter of what is free there; else as they are.

        The batches are the same bits either way; made on the device they need not be carried there one by one.
        """
        if device.type != "cuda" or self.pixels.nbytes > ROOM * _free(device):
            return self
        return LabelledImages(*(each.to(device) for each in (self.pixels, self.codes, self.weights)))

    def all(self, size: int) -> Iterator[Batch]:
        """Yield all images in their order, ``size`` at a time."""
        for start in range(0, len(self), size):
            rows = slice(start, start + size)
            yield Batch(as_input(self.pixels[rows]), self.codes[rows], self.weights[rows])


@dataclass(frozen=True)
class Shuffled:
    """The batches of an epoch: every image once, in an order and moved by what the seed and the epoch say.

    So any batch can be made again, and a training that was killed goes on where it was.

    Attributes
    ----------
    images : what is drawn from
    size : about so many images a batch, all batches as large as one another to within one
    augmentation : how they are moved
    seed : >= 0
    """

    images: LabelledImages
    size: int
    augmentation: Augmentation = STILL
    seed: int = 0

    @property
    def count(self) -> int:
        """Batches of an epoch."""
        return max(round(len(self.images) / self.size), 1)

    def epoch(self, number: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch from the ``first`` on."""
        order = torch.randperm(len(self.images), generator=_generator(self.seed, number, 0))
        for place, rows in enumerate(order.tensor_split(self.count)):
            if place >= first:
                moved = self.augmentation(self.images.pixels, rows, _generator(self.seed, number, place + 1))
                yield Batch(as_input(moved), self.images.codes[rows], self.images.weights[rows])


def as_input(pixels: Tensor) -> Tensor:
    """Return (rows, height, width, channels) as networks take them: (rows, channels, height, width) float32."""
    return pixels.permute(0, 3, 1, 2).float()


def _generator(*numbers: int) -> torch.Generator:
    """Return a generator whose stream is that of the numbers, and independent of that of others."""
    return torch.Generator().manual_seed(int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1))


def _free(device: torch.device) -> float:
    return float(torch.cuda.mem_get_info(device)[0]) if torch.cuda.is_available() else math.inf
