"""One image file -> pixels, or the reason why not."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".webp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm"),
)
# Only these decoders ever see the bytes; Pillow knows others that start programs (EPS) or are rarely maintained.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
# Pillow's own bound for an image that is not an attack.
MOST_PIXELS = 89_478_485
GREY = ("1", "L", "LA", "La")
# What Pillow's decoders raise on bytes that are not what they should be.
DAMAGED = (
    *(OSError, EOFError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, struct.error, zlib.error),
    *(MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning),
)


class UnreadableImageError(Exception):
    """An image that cannot be decoded; its text is the reason, fit for the middle of a sentence."""


@dataclass(frozen=True)
class ImageForm:
    """What every image is brought to.

    Attributes
    ----------
    size : (height, width) in pixels, bicubic with antialiasing, the shape not kept; None: as it is
    channels : 1 (luma of ITU-R 601) or 3; None: 1 where the file is grey, else 3
    """

    size: tuple[int, int] | None = None
    channels: int | None = None


AS_IT_IS = ImageForm()


def decode(data: Path | bytes | None, form: ImageForm = AS_IT_IS) -> NDArray[np.uint8]:
    """Return the pixels of an image, (height, width, 1 or 3) uint8.

    The first frame, turned as its EXIF orientation says; what is transparent is laid on white; 16-bit grey is scaled
    to 0..255. ``data`` is a path or the bytes of the file.

    Raises
    ------
    UnreadableImageError : if it is damaged, of another format, empty, or larger than 89 million pixels
    """
    if not data:
        raise UnreadableImageError("there are no bytes")
    try:
        with Image.open(io.BytesIO(data) if isinstance(data, bytes) else data, formats=FORMATS) as image:
            return _pixels(image, form)
    except UnidentifiedImageError as error:
        raise UnreadableImageError("not an image, or damaged at its start") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableImageError(_bomb(str(error))) from error
    except DAMAGED as error:
        # Some of Pillow's errors carry no text, or the file's own path with its text.
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        raise UnreadableImageError(reason) from error


def _pixels(image: Image.Image, form: ImageForm) -> NDArray[np.uint8]:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise UnreadableImageError(_bomb(f"{height}x{width} pixels"))
    if form.size is not None:
        # A JPEG is decoded at a half, quarter or eighth where that is still twice what is asked for.
        image.draft(None, (2 * max(form.size), 2 * max(form.size)))
    flat = _on_white(ImageOps.exif_transpose(image))
    if form.channels is not None:
        flat = flat.convert("L" if form.channels == 1 else "RGB")
    if form.size is not None and flat.size != form.size[::-1]:
        flat = flat.resize(form.size[::-1], Image.Resampling.BICUBIC)
    pixels = np.asarray(flat, dtype=np.uint8)
    return pixels[..., np.newaxis] if pixels.ndim == 2 else pixels


def _bomb(size: str) -> str:
    return f"a decompression bomb, or too large to be meant: {size}, at most {MOST_PIXELS:,} pixels are decoded"


def _on_white(image: Image.Image) -> Image.Image:
    """Return the image in mode L or RGB, what is transparent laid on white."""
    if image.mode == "F":
        raise UnreadableImageError("its pixels are floating point, which has no fixed range; save it with 8 or 16 bits")
    if image.mode.startswith("I"):
        return _from_16_bits(image)
    if image.has_transparency_data:
        with_alpha = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, with_alpha).convert("L" if image.mode in GREY else "RGB")
    if image.mode in GREY:
        return image.convert("L")
    colour = image.convert("RGB")
    if image.mode == "P" and _is_grey(colour):
        return colour.getchannel(0)
    return colour


def _is_grey(colour: Image.Image) -> bool:
    red, green, blue = (channel.tobytes() for channel in colour.split())
    return red == green == blue


def _from_16_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image.convert("I"))
    if values.size and (values.min() < 0 or values.max() > 65535):
        raise UnreadableImageError("its pixels have 32 bits; save it with 8 or 16")
    return Image.fromarray(np.rint(values / 257).astype(np.uint8))
