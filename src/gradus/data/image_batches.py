"""Many images, decoded by a few threads, brought into one array."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from gradus.core.errors import InputError
from gradus.core.progress import task
from gradus.data.arrays import from_images
from gradus.data.images import ImageForm, UnreadableImageError, decode
from gradus.data.text import listed, quoted, readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from gradus.data.options import ReadOptions
    from gradus.data.source import Content

BATCH = 256
# Images that a thread takes at once: small ones cost less to decode than to hand over.
SHARE = 16
MOST_THREADS = 8
NAMED_WHEN_SKIPPED = 20
# A byte for the picture and four for the feature, for every value of every image.
BYTES_A_VALUE = 5


def read_images(data: Iterable[Path | bytes | None], names: Sequence[str], where: str, options: ReadOptions) -> Content:
    """Return the images, all of one size, grey if all are grey, as pictures and as features.

    Parameters
    ----------
    data : paths, or bytes of files, one image after the other
    names : of the images, in the same order
    where : how a sentence names the source
    options : ``size``, ``channels`` and ``skip_bad`` count

    Raises
    ------
    InputError : if an image cannot be decoded and ``skip_bad`` is off, sizes differ, none can be decoded, or all
        together do not fit in memory; each names the first offender
    """
    gathered = _Gathered(names, where)
    form = ImageForm(options.size, options.channels)
    with (
        warnings.catch_warnings(),
        ThreadPoolExecutor(_threads()) as pool,
        task("reading images", len(names)) as under_way,
    ):
        # Pillow warns of damage that it can repair and of large images, which `decode` refuses by itself.
        warnings.filterwarnings("ignore", module="PIL")
        for decoded in _in_batches(pool, data, form):
            gathered.add(decoded)
            under_way.advance(len(decoded))
    gathered.check_bad(options)
    return gathered.content()


def _threads() -> int:
    return min(MOST_THREADS, os.cpu_count() or 1)


def _in_batches(
    pool: ThreadPoolExecutor, data: Iterable[Path | bytes | None], form: ImageForm
) -> Iterator[list[NDArray[np.uint8] | str]]:
    """Yield lists of pixels, or the reason why there are none; only one batch of files is held at a time."""
    left = iter(data)
    while batch := list(islice(left, BATCH)):
        shares = [batch[start : start + SHARE] for start in range(0, len(batch), SHARE)]
        decoded = pool.map(lambda share: [_pixels_or_reason(one, form) for one in share], shares)
        yield list(chain.from_iterable(decoded))


def _pixels_or_reason(data: Path | bytes | None, form: ImageForm) -> NDArray[np.uint8] | str:
    try:
        return decode(data, form)
    except UnreadableImageError as error:
        return str(error)


@dataclass
class _Gathered:
    """The images so far, and the places of those that could not be decoded."""

    names: Sequence[str]
    where: str
    pixels: list[NDArray[np.uint8]] = field(default_factory=list)
    bad: dict[int, str] = field(default_factory=dict)
    first: int = -1
    seen: int = 0

    def add(self, decoded: Sequence[NDArray[np.uint8] | str]) -> None:
        for one in decoded:
            if isinstance(one, str):
                self.bad[self.seen] = one
            else:
                self._check_size(one)
                self.pixels.append(one)
            self.seen += 1

    def _check_size(self, one: NDArray[np.uint8]) -> None:
        if not self.pixels:
            self.first = self.seen
            _check_memory(one.size * len(self.names), len(self.names), self.where)
            return
        (height, width), (rows, columns) = one.shape[:2], self.pixels[0].shape[:2]
        if (height, width) != (rows, columns):
            raise InputError(
                f"{self.where}: the image {quoted(self.names[self.seen])} is {height}x{width} pixels (height x width) "
                f"and {quoted(self.names[self.first])} is {rows}x{columns}; expected one size: give size (--size HxW)"
            )

    def check_bad(self, options: ReadOptions) -> None:
        if not self.pixels and not self.bad:
            raise InputError(f"{self.where}: there are no images to read; expected at least two of each class")
        if not self.bad or (options.skip_bad and self.pixels):
            return
        row, reason = next(iter(self.bad.items()))
        others = [self.names[other] for other in self.bad if other != row]
        more = f"; so are {listed(others, most=4)}" if others else ""
        raise InputError(
            f"{self.where}: {len(self.bad)} of {len(self.names)} images cannot be decoded, the first is "
            f"{quoted(self.names[row])} ({reason}){more}: repair or remove them, or give skip_bad (--skip-bad)"
        )

    def content(self) -> Content:
        height, width, _ = self.pixels[0].shape
        channels = max(one.shape[2] for one in self.pixels)
        images = np.empty((len(self.pixels), height, width, channels), dtype=np.uint8)
        for place, one in enumerate(self.pixels):
            images[place] = one  # a grey image repeats its value over three channels
        self.pixels.clear()
        kept = np.ones(len(self.names), dtype=bool)
        kept[list(self.bad)] = False
        content = from_images(images)
        return replace(content, kept=kept, notes=self._notes())

    def _notes(self) -> tuple[str, ...]:
        if not self.bad:
            return ()
        skipped = [readable(self.names[row]) for row in self.bad]
        return (
            f"{len(self.bad)} of {len(self.names)} images could not be decoded and were skipped: "
            f"{listed(skipped, most=NAMED_WHEN_SKIPPED)}.",
        )


def _check_memory(values: int, images: int, where: str) -> None:
    """Refuse, before the rest is decoded, what cannot fit."""
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return  # not told by this operating system
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    needed = values * BYTES_A_VALUE
    if needed > there:
        raise InputError(
            f"{where}: {images} images of this size take {needed / 2**30:,.0f} GiB and this machine has "
            f"{there / 2**30:,.0f}; give a smaller size (--size HxW) or a sample (--sample)"
        )
