"""Small pictures as data URIs, for pages that fetch nothing."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Worst errors and examples stand in the page as they are, at most this large.
LARGEST_SIDE = 96
# Ends of the diverging map of weights: both stand out on white and on black; zero is transparent.
_NEGATIVE, _POSITIVE = (28, 126, 214), (224, 82, 20)


def to_image(pixels: NDArray[np.uint8]) -> Image.Image:
    """Return a Pillow image of (height, width, 1 or 3 channels) pixels."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def data_uri(picture: Image.Image) -> str:
    """Return a picture as a PNG in a data URI."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def thumbnail(pixels: NDArray[np.uint8]) -> str:
    """Return a data URI of one image, shrunk to at most 96 pixels a side, never enlarged."""
    picture = to_image(pixels)
    picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
    return data_uri(picture)


def signed_picture(values: NDArray[np.floating], most: float) -> str:
    """Return a data URI of values (height, width, channels), symmetric about zero, ``most`` at full colour.

    One channel: blue below zero, orange above, transparent at zero, so that it reads on light and dark pages alike.
    Three channels: each value moves its own colour from mid-grey.
    """
    scaled = np.clip(values / most, -1, 1) if most > 0 else np.zeros_like(values)
    if values.shape[2] == 3:
        return data_uri(Image.fromarray(np.round(127.5 + 127.5 * scaled).astype(np.uint8)))
    amount = scaled[..., 0]
    colours = np.where(amount[..., None] < 0, np.array(_NEGATIVE), np.array(_POSITIVE))
    opacity = np.round(255 * np.abs(amount))[..., None]
    return data_uri(Image.fromarray(np.concatenate([colours, opacity], -1).astype(np.uint8), "RGBA"))
