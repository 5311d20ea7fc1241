"""How a convolution's windows lie: what a user says in torch's words, made numbers for each axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gradus.core.errors import InputError
from gradus.kernels.window_pooling import Same, Windows
from gradus.layers.axes import Around, each, is_whole, pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradus.layers.axes import Size

Padding = Around | Same | str


class Sliding(NamedTuple):
    """Stride, dilation and zeros around, a number for each axis, and the number of groups.

    Examples
    --------
    >>> Sliding((2,), (1,), (1,), (0,), 1).output((6,), (3,))
    (3,)
    """

    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    groups: int

    def output(self, size: Sequence[int], kernel: Sequence[int]) -> tuple[int, ...]:
        """Return floor((size + before + after - dilation (kernel - 1) - 1) / stride) + 1 for each axis."""
        return tuple(
            (n + before + after - dilation * (k - 1) - 1) // stride + 1
            for n, k, stride, dilation, before, after in zip(size, kernel, *self[:4], strict=True)
        )

    def input(self, size: Sequence[int], kernel: Sequence[int], extra: Sequence[int]) -> tuple[int, ...]:
        """Return the least size whose output has this ``size``, plus ``extra``."""
        return tuple(
            (n - 1) * stride - before - after + dilation * (k - 1) + e + 1
            for n, k, stride, dilation, before, after, e in zip(size, kernel, *self[:4], extra, strict=True)
        )


def sliding(kernel: Sequence[int], stride: Size, padding: Padding, dilation: Size, groups: int) -> Sliding:
    """Return the geometry of a convolution.

    Parameters
    ----------
    kernel : the window's size on each axis
    stride, dilation : one positive number, or one for each axis
    padding : zeros around: one number, one for each axis, a pair (before, after) for each axis, "valid" for none, or
        "same" for as many outputs as inputs, an odd one after, with a stride of 1; see ``same_sides`` for any stride
    groups : into how many parts the channels are divided, positive

    Raises
    ------
    InputError : if one of them is something else

    Examples
    --------
    >>> sliding((3, 2), 1, "same", 1, 1)[2:4]
    ((1, 0), (1, 1))
    """
    axes = len(kernel)
    strides, dilations = each("stride", stride, axes, least=1), each("dilation", dilation, axes, least=1)
    if not is_whole(groups) or groups < 1:
        raise InputError(f"groups is {groups!r}; a positive whole number was expected")
    if padding == "same":
        if set(strides) != {1}:
            raise InputError(
                f"padding is 'same' with a stride of {stride}; it is defined for a stride of 1: give numbers"
            )
        reach = [d * (k - 1) for d, k in zip(dilations, kernel, strict=True)]
        return Sliding(strides, dilations, tuple(r // 2 for r in reach), tuple(r - r // 2 for r in reach), groups)
    if isinstance(padding, str):
        if padding != "valid":
            raise InputError(f"padding is {padding!r}; numbers, 'same' or 'valid' were expected")
        padding = 0
    before, after = pairs(padding, axes)
    return Sliding(strides, dilations, before, after, groups)


def same_sides(size: Sequence[int], kernel: Sequence[int], given: tuple[Size, Padding, Size, int]) -> Padding:
    """Return the padding for images of ``size``: of ``Same`` pairs by which ceil(size / stride) windows fit.

    Parameters
    ----------
    given : stride, padding, dilation and groups, as in ``sliding``; a padding that is not ``Same`` is returned as it is

    Examples
    --------
    >>> same_sides((5, 6), (3, 3), (2, Same.UPPER, 1, 1))
    ((1, 1), (0, 1))
    """
    stride, padding, dilation, _ = given
    alike = set(padding) if isinstance(padding, tuple) else {padding}  # torch's modules repeat it for each axis
    same = alike.pop() if len(alike) == 1 else None
    if not isinstance(same, Same):
        return padding
    axes = len(kernel)
    strides, dilations = each("stride", stride, axes, least=1), each("dilation", dilation, axes, least=1)
    windows = Windows(tuple(kernel), strides, (0,) * axes, (0,) * axes, dilations, same=same).padded(size)
    return tuple(zip(windows.before, windows.after, strict=True))
