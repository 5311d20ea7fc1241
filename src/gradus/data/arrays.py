"""Numeric arrays of any shape -> features, and images where the shape is an image's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from gradus.core.errors import InputError
from gradus.data.source import Content

if TYPE_CHECKING:
    from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.generic)

CHANNELS = (1, 3)
SMALLEST_SIDE = 4
LONGEST_PER_SHORTEST = 4
EXACT_IN_FLOAT32 = 1 << 24


def check_numeric(array: NDArray[np.generic], where: str) -> None:
    """Refuse what is not a table of real numbers: objects, text, complex numbers, a single column without rows."""
    if array.dtype.kind not in "biuf":
        raise InputError(
            f"{where}: the features are of the type {array.dtype}; expected real numbers: convert them before saving"
        )
    if array.ndim < 2:
        raise InputError(
            f"{where}: the features have the shape {array.shape}; expected (rows, columns) or images: "
            "reshape a single feature to (n, 1)"
        )


def as_floats(array: NDArray[np.generic]) -> NDArray[np.floating]:
    """Return float32 or float64 of the same values: the type itself, or the smaller one that holds integers exactly.

    Examples
    --------
    >>> as_floats(np.array([[1, 2]])).dtype, as_floats(np.array([[2**24 + 1]])).dtype
    (dtype('float32'), dtype('float64'))
    """
    if array.dtype.kind == "f":
        return np.ascontiguousarray(array, dtype=np.float64 if array.dtype.itemsize > 4 else np.float32)
    wide = array.dtype.kind != "b" and array.dtype.itemsize > 2 and array.size > 0
    exact = not wide or max(abs(int(array.max())), abs(int(array.min()))) <= EXACT_IN_FLOAT32
    return np.ascontiguousarray(array, dtype=np.float32 if exact else np.float64)


def as_exact_floats(values: NDArray[np.float64]) -> NDArray[np.floating]:
    """Return float32 where it holds every value exactly, else the float64 that was given.

    Examples
    --------
    >>> as_exact_floats(np.array([0.5, 3.0])).dtype, as_exact_floats(np.array([0.1])).dtype
    (dtype('float32'), dtype('float64'))
    """
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    return narrow if np.array_equal(narrow, values, equal_nan=True) else values


def from_array(array: NDArray[np.generic]) -> Content:
    """Return the rows of a numeric array as features, and as images where it has an image's shape.

    Bytes (uint8) of the shape (n, h, w), (n, h, w, 1 or 3) or (n, 1 or 3, h, w) are images, and their features are the
    pixels / 255. Floats of these shapes stay what they are, and are shown as images by a linear map to 0..255. Every
    other shape is flattened. Features follow the order height, width, channels wherever there are images.
    """
    laid_out = _channels_last(array)
    if laid_out is None or (array.dtype != np.uint8 and array.dtype.kind != "f"):
        return Content(_flat(as_floats(array)))
    if laid_out.dtype == np.uint8:
        return from_images(np.ascontiguousarray(laid_out, dtype=np.uint8))
    features = _flat(as_floats(laid_out))
    return Content(features, shown(features).reshape(laid_out.shape))


def from_images(images: NDArray[np.uint8]) -> Content:
    """Return images (n, height, width, channels) with their features, float32 pixels / 255."""
    features = np.divide(_flat(images), np.float32(255), dtype=np.float32)
    return Content(features, images)


def shown(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return values as bytes: the range [0, 1] or [0, 255] where it holds them all, else the least to the greatest.

    What is not finite becomes 0; the checks refuse it later, with its place.
    """
    finite = np.where(np.isfinite(values), values, 0)
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low >= 0:
        low, high = 0.0, 1.0 if high <= 1 else 255.0 if high <= 255 else high
    return np.rint((finite - low) * (255.0 / ((high - low) or 1.0))).astype(np.uint8)


def _flat(array: NDArray[Number]) -> NDArray[Number]:
    return array.reshape(len(array), math.prod(array.shape[1:]))  # -1 would not do for no rows


def _channels_last(array: NDArray[np.generic]) -> NDArray[np.generic] | None:
    """Return a view (n, height, width, channels), or None where the shape is not an image's."""
    if array.ndim == 3:
        view = array[..., np.newaxis]
    elif array.ndim == 4 and array.shape[3] in CHANNELS:
        view = array
    elif array.ndim == 4 and array.shape[1] in CHANNELS:
        view = array.transpose(0, 2, 3, 1)
    else:
        return None
    sides = sorted(view.shape[1:3])
    return view if sides[0] >= SMALLEST_SIDE and sides[1] <= LONGEST_PER_SHORTEST * sides[0] else None
