"""Rows of logits in registers: the cross-entropy and its derivative, and the Hessian's turn, in Triton.

A program holds a few whole rows. Every number of a row is read once and written once, in its place if need be.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
import triton
import triton.language as tl

if TYPE_CHECKING:
    from torch import Tensor

# more do not fit the registers of a program
MOST_CLASSES = 32_768
# numbers of a tile at least, and so many of them for each warp at most
TILE, OF_A_WARP = 512, 512
# a thread reads at most so many neighbours at once
MOST_TOGETHER = 16


class Beside(NamedTuple):
    """What else a sweep wants of the rows.

    Attributes
    ----------
    offset : (classes,), added to the logits, or None
    kept : (samples, classes), floating point, set to the probabilities, or None; the derivative is then that at the
        probabilities as they were rounded to its type, divided by their sum
    """

    offset: Tensor | None = None
    kept: Tensor | None = None


def residual_rows(
    logits: Tensor, targets: Tensor, weights: Tensor, residual: Tensor | None, beside: Beside | None = None
) -> Tensor:
    """Return the loss of rows of logits, a float64 scalar, and set ``residual``, if there is one, to the derivative.

    residual : contiguous, in the shape and type of the logits, or the logits themselves
    """
    rows, classes = logits.shape
    offset, kept = beside or Beside()
    shape = _Shape(rows, classes)
    sums = logits.new_zeros(max(shape.programs, 1), dtype=torch.float64)
    if rows and classes:
        with torch.cuda.device_of(logits):
            _residual[(shape.programs,)](
                logits,
                offset,
                targets.to(logits.dtype).contiguous() if targets.ndim == 2 else targets.contiguous(),
                weights.contiguous(),
                kept,
                residual,
                sums,
                rows,
                classes,
                *logits.stride(),
                *(kept.stride() if kept is not None else (0, 0)),
                SOFT=targets.ndim == 2,
                LARGEST=torch.finfo(logits.dtype).max,
                ROWS=shape.of_a_tile,
                COLUMNS=shape.columns,
                TOGETHER=shape.together(logits),
                num_warps=shape.warps,
                enable_fp_fusion=True,
            )
    return sums.sum()


def turn_by_hessian(along: Tensor, probabilities: Tensor, weights: Tensor) -> None:
    """Set each row s of ``along``, contiguous, to w p * (s - p . s), in its place."""
    shape = _Shape(*along.shape)
    if along.numel():
        with torch.cuda.device_of(along):
            _turn[(shape.programs,)](
                along,
                probabilities,
                weights.contiguous(),
                *along.shape,
                *probabilities.stride(),
                ROWS=shape.of_a_tile,
                COLUMNS=shape.columns,
                TOGETHER=shape.together(along),
                num_warps=shape.warps,
                enable_fp_fusion=True,
            )


class _Shape(NamedTuple):
    """How rows are cut into tiles."""

    rows: int
    classes: int

    @property
    def columns(self) -> int:
        return int(triton.next_power_of_2(max(self.classes, 1)))

    @property
    def of_a_tile(self) -> int:
        return max(TILE // self.columns, 1)

    @property
    def programs(self) -> int:
        return int(triton.cdiv(self.rows, self.of_a_tile))

    @property
    def warps(self) -> int:
        return min(max(self.columns * self.of_a_tile // OF_A_WARP, 4), 32)

    def together(self, logits: Tensor) -> int:
        """Return what divides a row's length and how far apart rows are, so that wide reads are possible."""
        return math.gcd(self.classes, logits.stride(0), MOST_TOGETHER) if logits.stride(1) == 1 else 1


@triton.jit
def _log_1_plus(x):
    """Return log(1 + x) for x >= 0: what the sum loses is given back."""
    whole = 1.0 + x
    return tl.log(whole) + (x - (whole - 1.0)) / whole


@triton.jit
def _tile(rows, classes, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """Return this program's rows, its columns, which rows there are, and which places."""
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    column = tl.arange(0, COLUMNS)
    here = row < rows
    return row, column, here, here[:, None] & (column < classes)[None, :]


@triton.jit
def _residual(
    logits,
    offset,
    targets,
    weights,
    kept,
    residual,
    sums,
    rows,
    classes,
    row_stride,
    class_stride,
    kept_row_stride,
    kept_class_stride,
    SOFT: tl.constexpr,
    LARGEST: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    TOGETHER: tl.constexpr,
):
    classes, row_stride = classes // TOGETHER * TOGETHER, row_stride // TOGETHER * TOGETHER
    row, column, here, inside = _tile(rows, classes, ROWS, COLUMNS)
    weight = tl.load(weights + row, mask=here, other=0.0)[:, None]
    z = tl.load(logits + row[:, None] * row_stride + column[None, :] * class_stride, mask=inside, other=float("-inf"))
    if offset is not None:
        z += tl.load(offset + column, mask=column < classes, other=0.0)[None, :]
    if SOFT:
        y = tl.load(targets + row[:, None] * classes + column[None, :], mask=inside, other=0.0)
        mass = tl.sum(y, 1)[:, None]
        top = tl.max(tl.where(inside, z, -LARGEST), 1)[:, None]
        shifted = tl.where(inside, tl.maximum(z - top, -LARGEST), float("-inf"))
        share = tl.exp(shifted)
        whole = tl.sum(share, 1)[:, None]
        # terms that are all of one sign
        loss = tl.sum(tl.where(inside, y * (tl.log(whole) - shifted), 0.0), 1)[:, None]
        probability = share / whole
    else:
        own = column[None, :] == tl.load(targets + row, mask=here, other=0)[:, None]
        # a difference of two huge logits may overflow; the largest float keeps everything finite
        above = tl.minimum(z - tl.sum(tl.where(own, z, 0.0), 1)[:, None], LARGEST)
        above = tl.where(own | ~inside, float("-inf"), above)
        # the label's own term is exp(0); the others' maximum may lie above it
        top = tl.maximum(tl.max(above, 1), 0.0)[:, None]
        share = tl.exp(above - top)
        rest, label_share = tl.sum(share, 1)[:, None], tl.exp(-top)
        whole = rest + label_share
        loss = tl.where(top == 0.0, _log_1_plus(rest), top + tl.log(whole))
        probability = tl.where(own, label_share, share) / whole
    tl.store(sums + tl.program_id(0), tl.sum(tl.where(here, (weight.to(tl.float64) * loss).reshape(ROWS), 0.0)))
    if kept is not None:
        rounded = probability.to(kept.dtype.element_ty)
        places = row[:, None] * kept_row_stride + column[None, :] * kept_class_stride
        tl.store(kept + places, rounded, mask=inside)
        probability = tl.where(inside, rounded.to(z.dtype), 0.0)
        whole = tl.sum(probability, 1)[:, None]
        share = probability
        if not SOFT:
            share = tl.where(own, 0.0, probability)
            rest = tl.sum(share, 1)[:, None]
    if residual is not None:
        slope = weight * (mass * (share / whole) - y) if SOFT else tl.where(own, -rest, share) * (weight / whole)
        tl.store(residual + row[:, None] * classes + column[None, :], slope, mask=inside)


@triton.jit
def _turn(
    along,
    probabilities,
    weights,
    rows,
    classes,
    row_stride,
    class_stride,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    TOGETHER: tl.constexpr,
):
    classes = classes // TOGETHER * TOGETHER
    row, column, here, inside = _tile(rows, classes, ROWS, COLUMNS)
    weight = tl.load(weights + row, mask=here, other=0.0)[:, None]
    places = along + row[:, None] * classes + column[None, :]
    s = tl.load(places, mask=inside, other=0.0)
    shares = probabilities + row[:, None] * row_stride + column[None, :] * class_stride
    p = tl.load(shares, mask=inside, other=0.0).to(s.dtype)
    tl.store(places, weight * p * (s - tl.sum(p * s, 1)[:, None]), mask=inside)
