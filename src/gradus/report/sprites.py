"""Thumbnails of every row, packed side by side into a few pictures."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from gradus.core.progress import task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# A sheet takes 20-40 ms to decode, so that the first look at a thumbnail is prompt.
_SHEET_SIDE = 1408
_LARGEST_SIDE = 64
_SMALLEST_SIDE = 12
_PROBE = 1000


@dataclass(frozen=True)
class Encoding:
    """How a sheet is stored: 16 greys in a PNG, or WebP with the given quality."""

    quality: int | None

    @property
    def media_type(self) -> str:
        """The type to write into a data URI."""
        return "image/png" if self.quality is None else "image/webp"

    def encode(self, sheet: NDArray[np.uint8]) -> bytes:
        """Return the bytes of a picture (height, width, channels)."""
        buffer = io.BytesIO()
        if self.quality is None:
            picture = Image.fromarray(np.round(sheet[..., 0] / 17.0).astype(np.uint8), "P")
            picture.putpalette([17 * level for level in range(16) for _ in range(3)])
            picture.save(buffer, format="PNG", bits=4, compress_level=7)
        else:
            picture = Image.fromarray(sheet[..., 0] if sheet.shape[2] == 1 else sheet)
            picture.save(buffer, format="WEBP", quality=self.quality, method=2)
        return buffer.getvalue()


@dataclass(frozen=True)
class Sprites:
    """Packed thumbnails.

    Attributes
    ----------
    sheets : base64 pictures, each of ``per_row`` thumbnails a line and ``per_sheet`` in all
    media_type : of the sheets
    width, height : of one thumbnail, pixels
    per_row, per_sheet : thumbnails
    slots : (n,) int32, the place of each row's thumbnail, -1 where it has none
    """

    sheets: tuple[str, ...]
    media_type: str
    width: int
    height: int
    per_row: int
    per_sheet: int
    slots: NDArray[np.int32]

    @property
    def held(self) -> int:
        """How many rows have a thumbnail."""
        return int((self.slots >= 0).sum())


@dataclass(frozen=True)
class _Plan:
    """One way to store thumbnails, and how many bytes each takes."""

    encoding: Encoding
    width: int
    height: int
    cost: float


def pack_sprites(images: NDArray[np.uint8], order: NDArray[np.int64], budget: int) -> Sprites:
    """Pack thumbnails into at most about ``budget`` characters of base64.

    Every row keeps its thumbnail while a lower quality, then a smaller size, can make room; only then a part of the
    rows (the first in ``order`` at even steps) keeps one. Measured on 1,000 images before it is decided.

    Parameters
    ----------
    images : (n, height, width, channels) uint8
    order : (n,) the rows in the order to pack; neighbours share a sheet
    budget : characters, positive
    """
    plan = _choose(images[np.sort(order[:: max(1, len(order) // _PROBE)])], len(images), budget)
    affordable = min(len(order), max(1, int(budget * 0.75 / plan.cost)))
    kept = order[np.unique(np.linspace(0, len(order) - 1, affordable).astype(np.int64))]
    slots = np.full(len(images), -1, np.int32)
    slots[kept] = np.arange(len(kept), dtype=np.int32)
    per_row = _per_row(plan.width, plan.height, len(kept))
    per_sheet = per_row * max(1, _SHEET_SIDE // plan.height)
    sheets = []
    with task("packing thumbnails", total=len(kept)) as packing:
        for sheet, held in _sheets(images, kept, plan, (per_row, per_sheet)):
            sheets.append(base64.b64encode(plan.encoding.encode(sheet)).decode("ascii"))
            packing.advance(held)
    return Sprites(tuple(sheets), plan.encoding.media_type, plan.width, plan.height, per_row, per_sheet, slots)


def _per_row(width: int, height: int, number: int) -> int:
    """Return thumbnails a line; few images make a nearly square sheet rather than one long line."""
    square = math.ceil(math.sqrt(number * height / width))
    return max(1, min(_SHEET_SIDE // width, square, number))


def _sheets(
    images: NDArray[np.uint8], kept: NDArray[np.int64], plan: _Plan, layout: tuple[int, int]
) -> Iterator[tuple[NDArray[np.uint8], int]]:
    per_row, per_sheet = layout
    for start in range(0, len(kept), per_sheet):
        rows = kept[start : start + per_sheet]
        yield arrange(resized(images[rows], plan.width, plan.height), per_row), len(rows)


def _choose(probe: NDArray[np.uint8], rows: int, budget: int) -> _Plan:
    """Return the first plan, best quality first, with which all rows fit, else the last."""
    plan = None
    for plan in _plans(probe):
        if plan.cost * rows / 0.75 <= budget:
            return plan
    assert plan is not None
    return plan


def _plans(probe: NDArray[np.uint8]) -> Iterator[_Plan]:
    height, width = probe.shape[1:3]
    largest = min(1.0, _LARGEST_SIDE / max(height, width))
    faithful = [Encoding(60)] + ([Encoding(None)] if probe.shape[3] == 1 else [])
    for shrink in (1.0, 0.75, 0.5):
        size = max(1, round(width * largest * shrink)), max(1, round(height * largest * shrink))
        if shrink < 1 and max(size) < _SMALLEST_SIDE:
            return
        sheet = arrange(resized(probe, *size), _per_row(*size, len(probe)))
        costs = [_Plan(encoding, *size, len(encoding.encode(sheet)) / len(probe)) for encoding in faithful]
        yield min(costs, key=lambda plan: plan.cost)
        for quality in (40, 20):
            yield _Plan(Encoding(quality), *size, len(Encoding(quality).encode(sheet)) / len(probe))


def resized(images: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return images (n, height, width, channels) at another size, averaged over the area (not at all if equal)."""
    if images.shape[1:3] == (height, width):
        return images
    shrunk = [
        np.asarray(
            Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).resize(
                (width, height), Image.Resampling.BOX
            )
        ).reshape(height, width, -1)
        for image in images
    ]
    return np.stack(shrunk)


def arrange(images: NDArray[np.uint8], per_row: int) -> NDArray[np.uint8]:
    """Return one picture with the images (n, height, width, channels) in lines of ``per_row``, zeros at the end.

    Examples
    --------
    >>> arrange(np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1), 2)[..., 0]
    array([[0, 1],
           [2, 0]], dtype=uint8)
    """
    number, height, width, channels = images.shape
    lines = -(-number // per_row)
    sheet = np.zeros((lines * per_row, height, width, channels), np.uint8)
    sheet[:number] = images
    grid = sheet.reshape(lines, per_row, height, width, channels).swapaxes(1, 2)
    return np.ascontiguousarray(grid.reshape(lines * height, per_row * width, channels))
