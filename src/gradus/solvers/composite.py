"""A smooth function plus a smooth penalty, as one smooth function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.core.errors import InputError
from gradus.core.protocols import Differentiable

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.solution import Problem


def differentiable_penalty(problem: Problem, solver: str) -> Differentiable:
    """Return the problem's penalty, or raise InputError where ``solver`` cannot take it."""
    if not isinstance(problem.penalty, Differentiable):
        raise InputError(
            f"{solver} needs a differentiable penalty and {type(problem.penalty).__name__} is not one: "
            "use ProximalGradient"
        )
    return problem.penalty


def total_value_and_gradient(problem: Problem, penalty: Differentiable, point: Tensor) -> tuple[float, Tensor]:
    """Return the value and the gradient of the sum at ``point``."""
    smooth_value, smooth_gradient = problem.smooth.value_and_gradient(point)
    value, gradient = penalty.value_and_gradient(point)
    return (smooth_value + value).item(), smooth_gradient + gradient


def inner(left: Tensor, right: Tensor) -> float:
    """Return the inner product of two points, summed in float64.

    Examples
    --------
    >>> import torch
    >>> inner(torch.ones(2, 2), torch.ones(2, 2))
    4.0
    """
    return (left.double() * right.double()).sum().item()
