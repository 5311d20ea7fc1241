"""Where a convolution's windows are."""

from __future__ import annotations

from typing import NamedTuple


class Plan(NamedTuple):
    """The geometry of a two-dimensional convolution without groups; pairs are (height, width).

    Parameters
    ----------
    kernel, stride, dilation : positive
    before, after : zeros around the image, not negative
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]

    def output(self, height: int, width: int) -> tuple[int, int]:
        """Return the output's size: floor((size + before + after - dilation (kernel - 1) - 1) / stride) + 1.

        Examples
        --------
        >>> Plan((3, 3), (1, 1), (1, 1), (1, 1), (1, 1)).output(28, 28)
        (28, 28)
        """
        rows, columns = (
            (size + self.before[axis] + self.after[axis] - self.dilation[axis] * (self.kernel[axis] - 1) - 1)
            // self.stride[axis]
            + 1
            for axis, size in enumerate((height, width))
        )
        return rows, columns
