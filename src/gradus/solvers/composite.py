"""What several solvers ask of a problem: a smooth sum, the terms of a sum, sums in float64."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.core.protocols import Differentiable, Splittable, Term
from gradus.kernels.inner_product import inner_product

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Proximable
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
    return with_penalty(problem.smooth.value_and_gradient(point), penalty, point)


def with_penalty(smooth: tuple[Tensor, Tensor], penalty: Differentiable, point: Tensor) -> tuple[float, Tensor]:
    """Return the value and the gradient of the sum at ``point``, where those of its smooth part are known."""
    value, gradient = penalty.value_and_gradient(point)
    return (smooth[0] + value).item(), smooth[1] + gradient


def terms_of(problem: Problem) -> tuple[Term, ...]:
    """Return the terms of the problem's penalty; one that is not a sum is one term."""
    penalty = problem.penalty
    return penalty.terms if isinstance(penalty, Splittable) else (Term(penalty, None),)


def inside(penalty: Proximable, point: Tensor, step: float) -> Tensor:
    """Return ``point`` where the penalty is finite there, else its prox."""
    return point if math.isfinite(penalty.value(point).item()) else penalty.prox(point, step)


def rounding_noise(value: float, point: Tensor, rounding: float) -> float:
    """Return the size of the errors in a value, ``rounding`` times the epsilon of the dtype of ``point``."""
    return rounding * torch.finfo(point.dtype).eps * abs(value)


def inner(left: Tensor, right: Tensor) -> float:
    """Return the inner product of two points, summed in float64.

    Examples
    --------
    >>> inner(torch.ones(2, 2), torch.ones(2, 2))
    4.0
    """
    return inner_product(left, right)
