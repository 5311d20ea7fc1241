"""The numbers and tensors that a layer is set to, checked where they come in."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gradus.core.errors import InputError


def positive(name: str, given: Any, hint: str = "") -> float:
    """Return a positive finite number.

    Raises
    ------
    InputError : if it is something else

    Examples
    --------
    >>> positive("sharpness", 2)
    2.0
    """
    is_number = isinstance(given, int | float | np.integer | np.floating) and not isinstance(given, bool)
    if not is_number or not 0 < given < math.inf:
        raise InputError(f"{name} is {given!r}; a positive finite number was expected{hint}")
    return float(given)


def learned(name: str, given: Any, shape: tuple[int, ...] | None = None) -> Tensor:
    """Return a floating-point tensor of one number, or of a ``shape``.

    Raises
    ------
    InputError : if it is something else
    """
    if not isinstance(given, Tensor) or not given.is_floating_point():
        kind = str(given.dtype) if isinstance(given, Tensor) else type(given).__name__
        raise InputError(f"{name} is {kind}; a floating-point tensor was expected: give torch.tensor(...)")
    if shape is None and given.numel() != 1:
        raise InputError(f"{name} has shape {tuple(given.shape)}; one number was expected")
    if shape is not None and tuple(given.shape) != shape:
        raise InputError(f"{name} has shape {tuple(given.shape)}; {shape} was expected")
    return given


def uniform_ones(name: str, given: Any, shape: tuple[int, ...]) -> Tensor:
    """Return floating-point numbers in [0, 1) of a ``shape``, which is not looked at inside a compiled program.

    Raises
    ------
    InputError : if they are something else
    """
    numbers = learned(name, given, shape)
    looked_at = not torch.compiler.is_compiling() and numbers.device.type != "meta"
    if looked_at and not bool(((numbers >= 0) & (numbers < 1)).all()):
        raise InputError(f"{name} are not all in [0, 1): give numbers such as torch.rand's")
    return numbers
