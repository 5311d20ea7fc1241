"""Where the windows of a pooling layer lie: one axis is a table of positions, whatever the rule that made it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ABSENT = -1
Ints = tuple[int, ...]


class Same(enum.IntEnum):
    """How padding is found from the size of the input so that ceil(size / stride) windows fit; GIVEN: it is not."""

    GIVEN = 0
    UPPER = 1  # an odd pixel goes to the end: TensorFlow's "SAME", ONNX's "SAME_UPPER"
    LOWER = 2  # an odd pixel goes to the start


@dataclass(frozen=True)
class Windows:
    """Windows that slide over one, two or three axes; each attribute has an entry for each axis.

    Attributes
    ----------
    kernel : how many positions a window has
    stride : how far apart the first positions of two windows are
    before, after : how many positions are padded on either side (read only where ``same`` is ``Same.GIVEN``)
    dilation : how far apart the positions of one window are
    same : whether padding follows from the size
    ceil : whether a last window may reach over the end; one that would start in the padding is dropped
    """

    kernel: Ints
    stride: Ints
    before: Ints
    after: Ints
    dilation: Ints
    same: Same = Same.GIVEN
    ceil: bool = False

    @property
    def axes(self) -> int:
        """How many axes the windows slide over."""
        return len(self.kernel)

    def padded(self, sizes: Sequence[Any]) -> Windows:
        """Return these windows with the padding that an input of ``sizes`` gets."""
        if self.same is Same.GIVEN:
            return self
        pairs = [
            _same_padding(size, self.kernel[axis], self.stride[axis], self.dilation[axis], self.same)
            for axis, size in enumerate(sizes)
        ]
        return replace(
            self, before=tuple(b for b, _ in pairs), after=tuple(a for _, a in pairs), same=Same.GIVEN, ceil=False
        )

    def output(self, sizes: Sequence[Any]) -> tuple[Any, ...]:
        """Return how many windows each axis of ``sizes`` has; sizes may be symbolic."""
        return tuple(self._count(axis, size) for axis, size in enumerate(sizes))

    def _count(self, axis: int, size: Any) -> Any:
        stride = self.stride[axis]
        if self.same is not Same.GIVEN:
            return (size + stride - 1) // stride
        reach = self.dilation[axis] * (self.kernel[axis] - 1)
        room = size + self.before[axis] + self.after[axis] - reach - 1
        count = (room + (stride - 1 if self.ceil else 0)) // stride + 1
        if self.ceil and (count - 1) * stride >= size + self.before[axis]:
            count = count - 1
        return count

    def positions(self, sizes: Ints) -> tuple[NDArray[np.int32], ...]:
        """Return for each axis (windows, kernel): where each position lies, ``ABSENT`` outside the input."""
        here = self.padded(sizes)
        return tuple(here.raw_positions(sizes, axis, inside=(0, size)) for axis, size in enumerate(sizes))

    def raw_positions(self, sizes: Ints, axis: int, inside: tuple[int, int]) -> NDArray[np.int32]:
        """Return (windows, kernel) positions along one axis, ``ABSENT`` where not within ``inside``."""
        windows = np.arange(self._count(axis, sizes[axis]), dtype=np.int32)[:, None] * self.stride[axis]
        found = windows + np.arange(self.kernel[axis], dtype=np.int32) * self.dilation[axis] - self.before[axis]
        return np.where((found >= inside[0]) & (found < inside[1]), found, ABSENT).astype(np.int32)

    def longest(self, axis: int, size: Any) -> Any:
        """Return how many positions the longest window along ``axis`` has."""
        return self.kernel[axis]

    def code(self) -> list[int]:
        """Return the integers that :func:`from_code` reads: what an operator of torch can be given."""
        rest = [*self.kernel, *self.stride, *self.before, *self.after, *self.dilation]
        return [0, len(self.kernel), int(self.same), int(self.ceil), *rest]


@dataclass(frozen=True)
class Bins:
    """As many windows as are wanted: window i of O covers [floor(i size / O), ceil((i + 1) size / O))."""

    outputs: Ints

    @property
    def axes(self) -> int:
        """How many axes the bins divide."""
        return len(self.outputs)

    def output(self, sizes: Sequence[Any]) -> tuple[Any, ...]:
        """Return how many windows each axis has."""
        if len(sizes) != len(self.outputs):
            raise InputError(f"{len(self.outputs)} output sizes were given for {len(sizes)} axes: give one for each")
        return self.outputs

    def positions(self, sizes: Ints) -> tuple[NDArray[np.int32], ...]:
        """Return for each axis (windows, longest window): where each position lies, ``ABSENT`` beyond the bin."""
        return tuple(_bins(size, count) for size, count in zip(sizes, self.outputs, strict=True))

    def longest(self, axis: int, size: Any) -> Any:
        """Return how many positions the longest bin along ``axis`` has."""
        count = max(self.outputs[axis], 1)
        # of bins that do not divide the size, one touches an entry more at either end
        return max((-(-(i + 1) * size // count) - i * size // count for i in range(count)), default=1)

    def sliding(self, sizes: Ints) -> Windows | None:
        """Return the sliding windows that these bins are, or None where sizes are no multiples of the outputs."""
        if any(not count or size % count for size, count in zip(sizes, self.outputs, strict=True)):
            return None
        kernel = tuple(size // count for size, count in zip(sizes, self.outputs, strict=True))
        none = (0,) * len(kernel)
        return Windows(kernel, kernel, none, none, (1,) * len(kernel))

    def code(self) -> list[int]:
        """Return the integers that :func:`from_code` reads."""
        return [1, len(self.outputs), *self.outputs]


Geometry = Windows | Bins


@lru_cache(maxsize=1024)
def _decoded(code: Ints) -> Geometry:
    axes = code[1]
    if code[0] == 1:
        return Bins(code[2 : 2 + axes])
    kernel, stride, before, after, dilation = (code[4 + axes * part : 4 + axes * (part + 1)] for part in range(5))
    return Windows(kernel, stride, before, after, dilation, same=Same(code[2]), ceil=bool(code[3]))


def from_code(code: Sequence[int]) -> Geometry:
    """Return the geometry that ``code`` was made of.

    Examples
    --------
    >>> from_code(Bins((7, 7)).code())
    Bins(outputs=(7, 7))
    """
    return _decoded(tuple(code))


def _same_padding(size: Any, kernel: int, stride: int, dilation: int, same: Same) -> tuple[Any, Any]:
    reach = dilation * (kernel - 1) + 1
    total = max(((size + stride - 1) // stride - 1) * stride + reach - size, 0)
    small, large = total // 2, total - total // 2
    return (small, large) if same is Same.UPPER else (large, small)


def _bins(size: int, count: int) -> NDArray[np.int32]:
    starts = np.arange(count) * size // max(count, 1)
    stops = -(-(np.arange(count) + 1) * size // max(count, 1))
    longest = int((stops - starts).max(initial=1))
    found = starts[:, None] + np.arange(longest)
    return np.where(found < stops[:, None], found, ABSENT).astype(np.int32)
