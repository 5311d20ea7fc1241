"""One image at a time, while it is in the cache: its windows as columns, and products of these by tiles of registers.

With W (filters, taps), columns C (taps, places) and upstream U (filters, places) of an image, a tap being a channel
and a place of the window: dW = sum U C', and W' U holds what each tap gives back to the image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np
import torch

from gradus.kernels.blocks import add_products, multiply, row_parts
from gradus.kernels.compilation import compiled
from gradus.kernels.threads import worth

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.shallow_conv2d.plan import Plan


def gradients(
    upstream: Tensor, images: Tensor, weights: Tensor, plan: Plan, wanted: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """Return the gradients; see the package."""
    rows, (samples, filters) = upstream.detach().contiguous().flatten(2), upstream.shape[:2]
    matrix = weights.detach().contiguous().flatten(1)
    bounds, geometry = _bounds(samples), _geometry(images, plan)
    of_images = torch.zeros(images.shape if wanted[0] else (0, 0, 0, 0), dtype=images.dtype)
    parts = torch.zeros(len(bounds) - 1, filters, matrix.shape[1], dtype=images.dtype)
    with worth(2 * rows.numel() * matrix.shape[1] * sum(wanted)):
        if wanted[1]:
            _to_weights(rows.numpy(), _array(images), geometry, bounds, parts.numpy())
        if wanted[0]:
            _to_images(rows.numpy(), matrix.numpy(), geometry, bounds, of_images.numpy())
    return of_images if wanted[0] else None, parts.sum(dim=0).reshape(weights.shape) if wanted[1] else None


def _array(images: Tensor) -> np.ndarray:
    return images.detach().contiguous().numpy()


def _bounds(samples: int) -> np.ndarray:
    # sums over parts of the samples do not depend on the number of threads
    parts = row_parts(samples, samples)
    return np.array([part.start for part in parts] + [samples])


def _geometry(images: Tensor, plan: Plan) -> np.ndarray:
    # kernel, stride, dilation, before, the output's size
    return np.array([*plan[:4], plan.output(*images.shape[2:])], dtype=np.int64)


@compiled()
def _width(places: int) -> int:
    """Return how wide rows of ``places`` numbers are kept, so that not all fall on the same lines of the cache."""
    return places + 16 if places % 256 == 0 else places


@compiled()
def _span(size: int, places: int, first: int, stride: int) -> tuple[int, int]:
    # the places at which first + place * stride is in the image
    start = 0 if first >= 0 else -(first // stride)
    stop = min(places, (size - 1 - first) // stride + 1) if size > first else 0
    return start, max(start, stop)


@compiled()
def _flat(geometry: np.ndarray, image: np.ndarray, top: int, left: int) -> tuple[int, int, int]:
    """Return how far a tap's places lie before its pixels, and the range of places that have one.

    It holds where places and pixels have rows of one length and stride 1: a tap is the whole image, shifted, apart from
    the columns that the shift takes over the edge.
    """
    shift = top * image.shape[2] + left
    places, pixels = geometry[4, 0] * geometry[4, 1], image.shape[1] * image.shape[2]
    first = min(max(0, -shift), places)
    return shift, first, max(first, min(places, pixels - shift))


@compiled()
def _clear_edge(row: np.ndarray, geometry: np.ndarray, left: int) -> None:
    """Set what a tap takes from beyond the left or right edge to 0."""
    rows, across = geometry[4]
    for h in range(rows):
        for w in range(min(-left, across)):
            row[h * across + w] = 0.0
        for w in range(max(across - left, 0), across):
            row[h * across + w] = 0.0


@compiled()
def _is_flat(geometry: np.ndarray, width: int) -> bool:
    found: bool = geometry[1, 0] == 1 and geometry[1, 1] == 1 and geometry[4, 1] == width
    return found


@compiled()
def _fill(image: np.ndarray, geometry: np.ndarray, columns: np.ndarray) -> None:
    """Write the windows of an image into ``columns``, (taps, places), which holds 0 where they reach over its edge."""
    channels, height, width = image.shape
    rows, across = geometry[4]
    down, right = geometry[1]
    tap = 0
    for c in range(channels):
        for i in range(geometry[0, 0]):
            top = i * geometry[2, 0] - geometry[3, 0]
            for j in range(geometry[0, 1]):
                left = j * geometry[2, 1] - geometry[3, 1]
                if _is_flat(geometry, width):
                    shift, begin, end = _flat(geometry, image, top, left)
                    columns[tap, begin:end] = image[c].reshape(height * width)[begin + shift : end + shift]
                    _clear_edge(columns[tap], geometry, left)
                    tap += 1
                    continue
                start, stop = _span(width, across, left, right)
                first, last = _span(height, rows, top, down)
                for h in range(first, last):
                    target, source = columns[tap], image[c, h * down + top]
                    if right == 1:
                        for w in range(start, stop):
                            target[h * across + w] = source[w + left]
                    else:
                        for w in range(start, stop):
                            target[h * across + w] = source[w * right + left]
                tap += 1


@compiled()
def _give_back(columns: np.ndarray, geometry: np.ndarray, image: np.ndarray) -> None:
    """Add each entry of ``columns``, (taps, places), to where ``_fill`` takes it from, and spoil them."""
    channels, height, width = image.shape
    rows, across = geometry[4]
    down, right = geometry[1]
    tap = 0
    for c in range(channels):
        for i in range(geometry[0, 0]):
            top = i * geometry[2, 0] - geometry[3, 0]
            for j in range(geometry[0, 1]):
                left = j * geometry[2, 1] - geometry[3, 1]
                if _is_flat(geometry, width):
                    shift, begin, end = _flat(geometry, image, top, left)
                    _clear_edge(columns[tap], geometry, left)
                    pixels = image[c].reshape(height * width)[begin + shift : end + shift]
                    pixels += columns[tap, begin:end]
                    tap += 1
                    continue
                start, stop = _span(width, across, left, right)
                first, last = _span(height, rows, top, down)
                for h in range(first, last):
                    source, target = columns[tap], image[c, h * down + top]
                    if right == 1:
                        for w in range(start, stop):
                            target[w + left] += source[h * across + w]
                    else:
                        for w in range(start, stop):
                            target[w * right + left] += source[h * across + w]
                tap += 1


@compiled(parallel=True)
def _to_weights(
    upstream: np.ndarray, images: np.ndarray, geometry: np.ndarray, bounds: np.ndarray, parts: np.ndarray
) -> None:
    for part in numba.prange(len(bounds) - 1):
        columns = np.zeros((parts.shape[2], _width(upstream.shape[2])), images.dtype)
        products = np.empty(parts.shape[1:], images.dtype)
        for n in range(bounds[part], bounds[part + 1]):
            _fill(images[n], geometry, columns)
            multiply(upstream[n], columns, products, 0, 0)
            parts[part] += products


@compiled(parallel=True)
def _to_images(
    upstream: np.ndarray, weights: np.ndarray, geometry: np.ndarray, bounds: np.ndarray, out: np.ndarray
) -> None:
    for part in numba.prange(len(bounds) - 1):
        places = upstream.shape[2]
        columns = np.empty((weights.shape[1], places), out.dtype)
        copied = np.zeros((upstream.shape[1], _width(places)), out.dtype)
        for n in range(bounds[part], bounds[part + 1]):
            columns[:] = 0.0
            if _width(places) == places:
                add_products(upstream[n], weights, columns, 0, 0)
            else:
                for o in range(len(copied)):
                    copied[o, :places] = upstream[n, o]
                add_products(copied, weights, columns, 0, 0)
            _give_back(columns, geometry, out[n])
