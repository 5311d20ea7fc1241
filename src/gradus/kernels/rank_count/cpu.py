"""Rank counts in one pass over memory, by integer comparisons on the bits of the scores.

The bits of an IEEE float, read as a signed integer of the same width, are in the order of the floats once the lower
bits of the negative ones are flipped. So float16, bfloat16, float32 and float64 share two loops, which the compiler
turns into full-width vector instructions (it does not do so for the same loops over floats), and half precision needs
no conversion. Three properties of floats are kept by hand: -0.0 equals 0.0, infinities are ordinary, NaN has no order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numba import prange

from gradus.kernels.compilation import compiled
from gradus.kernels.rank_count import NAN_SCORE, UNKNOWN_LABEL

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class _Format(NamedTuple):
    integer: torch.dtype
    magnitude: Any  # every bit except the sign, as a NumPy integer of this width
    infinity: Any  # the bits of +inf; NaNs have a greater magnitude


_FORMATS = {
    torch.float16: _Format(torch.int16, np.int16(0x7FFF), np.int16(0x7C00)),
    torch.bfloat16: _Format(torch.int16, np.int16(0x7FFF), np.int16(0x7F80)),
    torch.float32: _Format(torch.int32, np.int32(0x7FFF_FFFF), np.int32(0x7F80_0000)),
    torch.float64: _Format(torch.int64, np.int64(0x7FFF_FFFF_FFFF_FFFF), np.int64(0x7FF0_0000_0000_0000)),
}
_BLOCK = 1024  # rows whose counters stay in a core's own cache while the columns stream by


def rank_count(scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Count per row the scores above the label's and the others equal to it; see the package for the contract."""
    rows, classes = scores.shape
    greater = np.full(rows, UNKNOWN_LABEL, dtype=np.int32)
    equal = np.zeros(rows, dtype=np.int32)
    if rows and classes:
        form = _FORMATS[scores.dtype]
        bits, row_stride, class_stride = _line(scores.view(form.integer))
        along = _count_along_rows if class_stride == 1 else _count_along_columns
        stride = row_stride if class_stride == 1 else class_stride
        along(bits, labels.contiguous().numpy(), greater, equal, classes, stride, form.magnitude, form.infinity)
    return torch.from_numpy(greater), torch.from_numpy(equal)


def _line(bits: Tensor) -> tuple[NDArray[np.signedinteger[Any]], int, int]:
    """Return a matrix's memory as one contiguous line, and how far apart two rows and two classes lie on it."""
    rows, classes = bits.shape
    row_stride, class_stride = bits.stride()
    if classes == 1:
        class_stride = 1
    elif class_stride != 1 and rows > 1 and row_stride != 1:
        bits, row_stride, class_stride = bits.contiguous(), classes, 1
    span = (rows - 1) * row_stride + (classes - 1) * class_stride + 1
    return bits.as_strided((span,), (1,)).numpy(), row_stride, class_stride


@compiled(parallel=True)
def _count_along_rows(
    bits: NDArray[Any],
    labels: NDArray[np.int64],
    greater: NDArray[np.int32],
    equal: NDArray[np.int32],
    classes: int,
    stride: int,
    magnitude: Any,
    infinity: Any,
) -> None:
    """Fill ``greater`` and ``equal`` from rows of ``classes`` neighbours, ``stride`` apart."""
    integer = (
        bits.dtype.type
    )  # NumPy's arithmetic widens; without the casts back the loop runs at a quarter of the speed
    for row in prange(labels.size):
        label = labels[row]
        if 0 <= label < classes:
            scores = bits[row * stride : row * stride + classes]
            own = scores[label]
            own = integer(own ^ magnitude) if own < 0 else own
            lowest = integer(-1) if own == 0 else own  # -0.0 folds to -1
            highest = integer(0) if own == -1 else own
            above, at_least, nans = np.int32(0), np.int32(0), np.int32(0)
            for column in range(classes):
                score = scores[column]
                folded = integer(score ^ magnitude) if score < 0 else score
                above = np.int32(above + np.int32(folded > highest))
                at_least = np.int32(at_least + np.int32(folded >= lowest))
                nans = np.int32(nans + np.int32(integer(score & magnitude) > infinity))
            greater[row] = above if nans == 0 else NAN_SCORE
            equal[row] = at_least - above - 1 if nans == 0 else 0


@compiled(inline="always")
def _fold(score: Any, magnitude: Any, integer: Any) -> Any:
    return integer(score ^ magnitude) if score < 0 else score


@compiled(parallel=True)
def _count_along_columns(
    bits: NDArray[Any],
    labels: NDArray[np.int64],
    greater: NDArray[np.int32],
    equal: NDArray[np.int32],
    classes: int,
    stride: int,
    magnitude: Any,
    infinity: Any,
) -> None:
    """Fill ``greater`` and ``equal`` from columns of neighbours, ``stride`` apart, four columns at a time."""
    integer = bits.dtype.type
    for block in prange((labels.size + _BLOCK - 1) // _BLOCK):
        first = block * _BLOCK
        size = min(_BLOCK, labels.size - first)
        lowest, highest = np.zeros(size, bits.dtype), np.zeros(size, bits.dtype)
        above, at_least = np.zeros(size, np.int32), np.zeros(size, np.int32)
        largest = np.zeros(size, bits.dtype)
        for row in range(size):
            label = labels[first + row]
            if 0 <= label < classes:
                own = _fold(bits[label * stride + first + row], magnitude, integer)
                lowest[row] = integer(-1) if own == 0 else own
                highest[row] = integer(0) if own == -1 else own
        fours = classes - classes % 4
        for column in range(0, fours, 4):
            start = column * stride + first
            a = bits[start : start + size]
            b = bits[start + stride : start + stride + size]
            c = bits[start + 2 * stride : start + 2 * stride + size]
            d = bits[start + 3 * stride : start + 3 * stride + size]
            for row in range(size):
                low, high = lowest[row], highest[row]
                fold_a, fold_b = _fold(a[row], magnitude, integer), _fold(b[row], magnitude, integer)
                fold_c, fold_d = _fold(c[row], magnitude, integer), _fold(d[row], magnitude, integer)
                more = np.int32(np.int32(fold_a > high) + np.int32(fold_b > high))
                more = np.int32(more + np.int32(np.int32(fold_c > high) + np.int32(fold_d > high)))
                above[row] = np.int32(above[row] + more)
                more = np.int32(np.int32(fold_a >= low) + np.int32(fold_b >= low))
                more = np.int32(more + np.int32(np.int32(fold_c >= low) + np.int32(fold_d >= low)))
                at_least[row] = np.int32(at_least[row] + more)
                two = max(integer(a[row] & magnitude), integer(b[row] & magnitude))
                other_two = max(integer(c[row] & magnitude), integer(d[row] & magnitude))
                largest[row] = max(largest[row], max(two, other_two))
        for column in range(fours, classes):
            a = bits[column * stride + first : column * stride + first + size]
            for row in range(size):
                folded = _fold(a[row], magnitude, integer)
                above[row] = np.int32(above[row] + np.int32(folded > highest[row]))
                at_least[row] = np.int32(at_least[row] + np.int32(folded >= lowest[row]))
                largest[row] = max(largest[row], integer(a[row] & magnitude))
        for row in range(size):
            if 0 <= labels[first + row] < classes:
                ordered = largest[row] <= infinity
                greater[first + row] = above[row] if ordered else NAN_SCORE
                equal[first + row] = at_least[row] - above[row] - 1 if ordered else 0
