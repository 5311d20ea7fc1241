"""One image at a time, while it is in the cache: its windows as columns, and products of these by tiles of registers.

With W (filters, taps), columns C (taps, places) and upstream U (filters, places) of an image, a tap being a channel
and a place of the window: Y = W C, dW = sum U C', and W' U holds what each tap gives back to the image.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numba
import numpy as np
import torch

from gradus.kernels.blocks import add_products, multiply, row_parts
from gradus.kernels.compilation import compiled
from gradus.kernels.large_pages import in_large_pages
from gradus.kernels.threads import worth

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.shallow_conv2d.plan import Plan


def product(images: Tensor, weights: Tensor, bias: Tensor | None, plan: Plan) -> Tensor:
    """Return the convolution; see the package."""
    factors = weights.detach().flatten(1).T.contiguous().numpy()
    first = (weights.new_zeros(len(weights)) if bias is None else bias.detach().contiguous()).numpy()
    pixels = images.detach().contiguous().numpy()
    size = plan.output(*images.shape[2:])
    out = in_large_pages(torch.empty((len(images), len(weights), *size), dtype=images.dtype))
    rows = out.flatten(2).numpy()
    with worth(2 * rows.size * len(factors)):
        _product(pixels, factors, first, _geometry(plan, *images.shape[2:]), _bounds(len(pixels)), rows)
    return out


def gradients(
    upstream: Tensor, images: Tensor, weights: Tensor, plan: Plan, wanted: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """Return the gradients; see the package."""
    rows = upstream.detach().contiguous().flatten(2).numpy()
    matrix = weights.detach().contiguous().flatten(1).numpy()
    pixels = images.detach().contiguous().numpy()
    bounds = _bounds(len(pixels))
    of_images = in_large_pages(torch.empty(images.shape if wanted[0] else (0, 0, 0, 0), dtype=images.dtype))
    parts = torch.empty((len(bounds) - 1, *matrix.shape) if wanted[1] else (0, 0, 0), dtype=images.dtype)
    with worth(2 * rows.size * matrix.shape[1] * sum(wanted)):
        _gradients(rows, pixels, matrix, _geometry(plan, *images.shape[2:]), bounds, of_images.numpy(), parts.numpy())
    return of_images if wanted[0] else None, parts.sum(dim=0).reshape(weights.shape) if wanted[1] else None


@lru_cache(maxsize=256)
def _bounds(samples: int) -> np.ndarray:
    # sums over parts of the samples do not depend on the number of threads
    parts = row_parts(samples, samples)
    return np.array([part.start for part in parts] + [samples])


@lru_cache(maxsize=256)
def _geometry(plan: Plan, height: int, width: int) -> np.ndarray:
    # kernel, stride, dilation, before, the output's size
    return np.array([*plan[:4], plan.output(height, width)], dtype=np.int64)


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
def _product(
    images: np.ndarray,
    factors: np.ndarray,
    first: np.ndarray,
    geometry: np.ndarray,
    bounds: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the convolution to ``out``; factors are the weights, (taps, filters), and ``first`` what is added."""
    for part in numba.prange(len(bounds) - 1):
        columns = np.zeros((len(factors), _width(out.shape[2])), out.dtype)
        for n in range(bounds[part], bounds[part + 1]):
            _fill(images[n], geometry, columns)
            for o in range(len(first)):
                out[n, o, :] = first[o]
            add_products(columns, factors, out[n], 0, 0)


@compiled(parallel=True)
def _gradients(
    upstream: np.ndarray,
    images: np.ndarray,
    weights: np.ndarray,
    geometry: np.ndarray,
    bounds: np.ndarray,
    out: np.ndarray,
    parts: np.ndarray,
) -> None:
    """Write the gradient of the images to ``out``, and that of the weights for each part; what is empty is not wanted.

    An image's upstream is read from memory once for both.
    """
    places, taps = upstream.shape[2], weights.shape[1]
    for part in numba.prange(len(bounds) - 1):
        columns = np.zeros((taps, _width(places)), images.dtype)
        given_back = np.empty((taps, places), images.dtype)
        products = np.empty(weights.shape, images.dtype)
        if len(parts) > 0:
            parts[part] = 0.0
        for n in range(bounds[part], bounds[part + 1]):
            if len(parts) > 0:
                _fill(images[n], geometry, columns)
                multiply(upstream[n], columns, products, 0, 0)
                parts[part] += products
            if len(out) > 0:
                given_back[:] = 0.0
                add_products(upstream[n], weights, given_back, 0, 0)
                out[n] = 0.0
                _give_back(given_back, geometry, out[n])
