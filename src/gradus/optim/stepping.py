"""What every optimiser here does alike: check its settings, call the closure, walk over its parameters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor


def loss_of(closure: Callable[[], float] | None) -> float | None:
    """Return what the closure returns, run with gradients enabled; None without one."""
    if closure is None:
        return None
    with torch.enable_grad():
        return closure()


def with_gradients(group: dict[str, Any]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the parameters of a group that have a gradient, and the gradient.

    Raises
    ------
    InputError : if one is sparse or complex
    """
    for parameter in group["params"]:
        gradient = parameter.grad
        if gradient is None:
            continue
        if gradient.is_sparse or gradient.is_complex():
            raise InputError(
                f"a parameter of shape {tuple(parameter.shape)} has a gradient that is sparse or complex; expected "
                "a dense real one: give this parameter to another optimiser"
            )
        yield parameter, gradient


def not_negative(what: str, number: float) -> None:
    """Raise InputError unless ``number`` is finite and not negative.

    Examples
    --------
    >>> not_negative("Lion's lr", -1.0)
    Traceback (most recent call last):
        ...
    gradus.core.errors.InputError: Lion's lr is -1.0; expected a finite number >= 0
    """
    if not (_is_number(number) and math.isfinite(number) and number >= 0):
        raise InputError(f"{what} is {number!r}; expected a finite number >= 0")


def below_one(what: str, number: float) -> None:
    """Raise InputError unless ``number`` is at least 0 and less than 1."""
    if not (_is_number(number) and 0 <= number < 1):
        raise InputError(f"{what} is {number!r}; expected a number from 0 to below 1")


def some_of(what: str, numbers: Any, count: int) -> None:
    """Raise InputError unless ``numbers`` are ``count`` finite numbers in a row."""
    together = isinstance(numbers, tuple | list) and len(numbers) == count
    if not together or not all(_is_number(number) and math.isfinite(number) for number in numbers):
        raise InputError(f"{what} is {numbers!r}; expected {count} finite numbers")


def whole(what: str, number: Any) -> None:
    """Raise InputError unless ``number`` is whole and not negative."""
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise InputError(f"{what} is {number!r}; expected a whole number >= 0")


def _is_number(given: Any) -> bool:
    # a rate may be a tensor, which a compiled step reads anew
    one = isinstance(given, torch.Tensor) and given.numel() == 1
    return one or (isinstance(given, int | float) and not isinstance(given, bool))
