"""What a user says for each axis in torch's words: one number for all of them, or one for each."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

Size = int | tuple[int, ...]
Around = int | tuple[int, ...] | tuple[tuple[int, int], ...]


def each(name: str, given: Size | Sequence[int], axes: int, *, least: int) -> tuple[int, ...]:
    """Return one number for each axis.

    Raises
    ------
    InputError : where they are fewer, more, not whole, or less than ``least``

    Examples
    --------
    >>> each("stride", 2, 3, least=1)
    (2, 2, 2)
    """
    numbers: tuple[Any, ...] = tuple(given) if isinstance(given, tuple | list) else (given,)
    if not all(map(is_whole, numbers)):
        raise InputError(f"{name} is {given!r}; a whole number of at least {least}, or {axes} of them, were expected")
    numbers = numbers * axes if len(numbers) == 1 else numbers
    if len(numbers) != axes:
        raise InputError(f"{name} is {given}; one number or {axes} were expected")
    if min(numbers) < least:
        raise InputError(f"{name} is {given}; numbers of at least {least} were expected")
    whole: tuple[Any, ...] = tuple(n if isinstance(n, torch.SymInt) else int(n) for n in numbers)
    return whole


def is_whole(given: Any) -> bool:
    """Return whether something is a whole number: python's, numpy's, or one that a program of torch stands for.

    >>> is_whole(2), is_whole(2.0), is_whole(True)
    (True, False, False)
    """
    return isinstance(given, int | np.integer | torch.SymInt) and not isinstance(given, bool | enum.Enum)


def pairs(padding: Around, axes: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the padding before and after on each axis.

    Raises
    ------
    InputError : if it is neither numbers nor pairs, or one of them is negative

    Examples
    --------
    >>> pairs(((0, 1), (2, 3)), 2)
    ((0, 2), (1, 3))
    """
    of_axes: Any = padding if isinstance(padding, tuple | list) else (padding,)
    if any(isinstance(entry, tuple | list) for entry in of_axes):
        if not all(isinstance(entry, tuple | list) and len(entry) == 2 for entry in of_axes):
            raise InputError(f"padding is {padding}; numbers, or a pair (before, after) for each axis, were expected")
        before, after = (tuple(entry[side] for entry in of_axes) for side in (0, 1))
        return each("padding before", before, axes, least=0), each("padding after", after, axes, least=0)
    both = each("padding", of_axes if len(of_axes) != 1 else of_axes[0], axes, least=0)
    return both, both
