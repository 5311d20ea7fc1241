"""What a user says for each axis in torch's words: one number for all of them, or one for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

Size = int | tuple[int, ...]
Around = int | tuple[int, ...] | tuple[tuple[int, int], ...]


def each(name: str, given: Size | Sequence[int], axes: int, *, least: int) -> tuple[int, ...]:
    """Return one number for each axis, or raise InputError where they are fewer, more or less than ``least``.

    Examples
    --------
    >>> each("stride", 2, 3, least=1)
    (2, 2, 2)
    """
    numbers = (given,) * axes if isinstance(given, int) else tuple(int(n) for n in given)
    numbers = numbers * axes if len(numbers) == 1 else numbers
    if len(numbers) != axes:
        raise InputError(f"{name} is {given}; one number or {axes} were expected")
    if min(numbers) < least:
        raise InputError(f"{name} is {given}; numbers of at least {least} were expected")
    return numbers


def pairs(padding: Around, axes: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the padding before and after on each axis.

    Examples
    --------
    >>> pairs(((0, 1), (2, 3)), 2)
    ((0, 2), (1, 3))
    """
    if isinstance(padding, int) or not any(isinstance(entry, tuple | list) for entry in padding):
        both = each("padding", padding, axes, least=0)  # type: ignore[arg-type]
        return both, both
    before, after = (tuple(entry[side] for entry in padding) for side in (0, 1))  # type: ignore[index]
    return each("padding before", before, axes, least=0), each("padding after", after, axes, least=0)
