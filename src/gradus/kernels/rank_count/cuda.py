"""Rank counts on a GPU: tiles of rows whose scores are read once, and counted where they are.

The floor is the scores' bytes over the memory's bandwidth. A tile has few rows of many scores where a row is contiguous
in memory, and many rows of few scores where a column is, so that neighbouring threads read neighbouring numbers. A row
belongs to one program: a few rows of very many classes keep only as many multiprocessors busy as there are tiles.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
import triton
import triton.language as tl

from gradus.kernels.rank_count import NAN_SCORE, UNKNOWN_LABEL

if TYPE_CHECKING:
    from torch import Tensor

_NAN_SCORE, _UNKNOWN_LABEL = tl.constexpr(NAN_SCORE), tl.constexpr(UNKNOWN_LABEL)


class Tile(NamedTuple):
    """What one program reads at a time: so many rows and columns, powers of two, by so many warps."""

    rows: int
    columns: int
    warps: int


# so many numbers keep enough reads under way; fewer of short rows, whose counts take longer to add up
NUMBERS, OF_SHORT, SHORT = 2048, 1024, 16
ALONG_COLUMNS = Tile(128, 8, 4)
# a thread reads at most so many neighbours at once
MOST_TOGETHER = 16


def rank_count(scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Count per row the scores above the label's and the others equal to it; see the package for the contract."""
    return counted(scores, labels, tile_of(scores))


def tile_of(scores: Tensor) -> Tile:
    """Return the tile that suits a matrix."""
    if not _along_rows(scores):
        return ALONG_COLUMNS
    columns = min(triton.next_power_of_2(max(scores.shape[1], 1)), NUMBERS)
    if columns <= SHORT:
        return Tile(OF_SHORT // columns, columns, 2)
    return Tile(NUMBERS // columns, columns, 4) if columns != NUMBERS // 2 else Tile(1, columns, 2)


def counted(scores: Tensor, labels: Tensor, tile: Tile) -> tuple[Tensor, Tensor]:
    """Count in tiles of this size."""
    rows, classes = scores.shape
    along_rows = _along_rows(scores)
    length, stride = (classes, scores.stride(0)) if along_rows else (rows, scores.stride(1))
    greater = labels.new_empty(rows, dtype=torch.int32)
    equal = torch.empty_like(greater)
    if rows:
        with torch.cuda.device_of(scores):
            _count[(triton.cdiv(rows, tile.rows),)](
                scores,
                labels.contiguous(),
                greater,
                equal,
                rows,
                classes,
                *scores.stride(),
                ROWS=tile.rows,
                COLUMNS=tile.columns,
                STEPS=triton.cdiv(classes, tile.columns),
                ALONG_ROWS=along_rows,
                TOGETHER=math.gcd(length, stride, MOST_TOGETHER),
                num_warps=tile.warps,
                enable_fp_fusion=True,
            )
    return greater, equal


def _along_rows(scores: Tensor) -> bool:
    return scores.stride(1) == 1 or scores.shape[1] == 1


@triton.jit
def _at_least_single(scores):
    """Return scores in half precision as float32, which holds them exactly, and others as they are."""
    if scores.dtype == tl.bfloat16:
        # the upper half of a float32's bits; Triton's interpreter would lose what is below its normal numbers
        scores = (scores.to(tl.int16, bitcast=True).to(tl.int32) << 16).to(tl.float32, bitcast=True)
    elif scores.dtype == tl.float16:
        scores = scores.to(tl.float32)
    return scores


@triton.jit
def _count(
    scores,
    labels,
    greater,
    equal,
    rows,
    classes,
    row_stride,
    class_stride,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    STEPS: tl.constexpr,
    ALONG_ROWS: tl.constexpr,
    TOGETHER: tl.constexpr,
):
    """Fill ``greater`` and ``equal`` for ROWS rows, COLUMNS of STEPS at a time.

    Comparisons of floats have the ties and infinities as they are.
    TOGETHER divides how many neighbours there are and how far apart their lines: wide reads need to know that.
    """
    if ALONG_ROWS:
        classes, row_stride = classes // TOGETHER * TOGETHER, row_stride // TOGETHER * TOGETHER
    else:
        rows, class_stride = rows // TOGETHER * TOGETHER, class_stride // TOGETHER * TOGETHER
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    here = row < rows
    label = tl.load(labels + row, mask=here, other=-1)
    known = (label >= 0) & (label < classes)
    lines = scores + row * row_stride
    own = tl.load(lines + tl.where(known, label, 0) * class_stride, mask=known, other=0.0)
    own = _at_least_single(own)[:, None]
    above = tl.zeros((ROWS, COLUMNS), tl.int32)
    alike = tl.zeros((ROWS, COLUMNS), tl.int32)
    unordered = tl.zeros((ROWS, COLUMNS), tl.int32)
    for step in range(STEPS):
        column = step * COLUMNS + tl.arange(0, COLUMNS)
        inside = here[:, None] & (column < classes)[None, :]
        places = lines[:, None] + column.to(tl.int64)[None, :] * class_stride
        # what lies outside is nowhere above, and equal only to a label's -inf
        score = _at_least_single(tl.load(places, mask=inside, other=float("-inf"), eviction_policy="evict_first"))
        above += (score > own).to(tl.int32)
        alike += ((score == own) & inside).to(tl.int32)
        unordered |= (score != score).to(tl.int32)
    above_row, alike_row = tl.sum(above, 1), tl.sum(alike, 1)
    ordered = tl.max(unordered, 1) == 0
    tl.store(greater + row, tl.where(known, tl.where(ordered, above_row, _NAN_SCORE), _UNKNOWN_LABEL), mask=here)
    tl.store(equal + row, tl.where(known & ordered, alike_row - 1, 0), mask=here)
