"""torch.autograd.gradcheck's call, for those who switch by changing the import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradus.check.gradient import check_gradient
from gradus.core.errors import GradusError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class GradientError(GradusError, AssertionError):
    """A gradient is wrong; the text says where and what it looks like."""


def gradcheck(func: Callable[..., Any], inputs: Any, *, raise_exception: bool = True) -> bool:
    """Check what torch.autograd makes of ``func`` at ``inputs``, a tensor or a tuple of them, of any dtype.

    There is no tolerance to choose: it follows from the dtype.

    Raises
    ------
    GradientError : if the gradient is wrong, unless ``raise_exception`` is false

    Examples
    --------
    >>> import torch
    >>> gradcheck(torch.sin, torch.linspace(0, 1, 5, requires_grad=True))
    True
    """
    values: Sequence[Any] = inputs if isinstance(inputs, tuple | list) else (inputs,)
    verdict = check_gradient(func, None, *values)
    if not verdict and raise_exception:
        raise GradientError(str(verdict))
    return verdict.passed
