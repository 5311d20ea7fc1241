"""What a ``ConvNetClassifier`` was given as objects, tried out before anything is learned."""

from __future__ import annotations

import copy
import inspect
from numbers import Real
from typing import TYPE_CHECKING, Any

import torch

from gradus.core.errors import InputError
from gradus.estimators.convnet_settings import triangle
from gradus.networks.optimizers import trainable

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from gradus.networks import NetworkPlan

# what forwards raise that are not made for an image
UNFIT = (RuntimeError, ValueError, TypeError, AttributeError, LookupError)


@torch.no_grad()
def check_outputs(network: nn.Module, plan: NetworkPlan, images: Tensor) -> None:
    """Check that a network makes a logit for each class of ``images``, and has something to learn.

    Raises
    ------
    InputError : if it does not
    """
    name, shape = type(network).__name__, f"(samples, {plan.channels}, {plan.height}, {plan.width})"
    try:
        logits = network.eval()(images)
    except UNFIT as error:
        raise InputError(f"{name} does not take images of shape {shape}: {error}") from error
    made = tuple(logits.shape[1:]) if isinstance(logits, torch.Tensor) else f"a {type(logits).__name__} instead of"
    if not isinstance(logits, torch.Tensor) or tuple(logits.shape) != (len(images), plan.classes):
        raise InputError(
            f"{name} makes {made} numbers of an image of shape {shape}; expected one logit for each of the "
            f"{plan.classes} classes"
        )
    if not trainable(network):
        raise InputError(f"{name} has no parameter that requires a gradient, and so nothing to learn")


@torch.no_grad()
def check_lone_image(network: nn.Module, images: Tensor) -> None:
    """Check that a network learns from batches of one image, which norms of few pixels do not.

    Raises
    ------
    InputError : if it does not
    """
    try:
        copy.deepcopy(network).train()(images[:1].to(next(network.parameters()).device))
    except UNFIT as error:
        raise InputError(
            f"{type(network).__name__} does not learn from batches of one image ({error}): give a batch_size of at "
            "least 2, or more images"
        ) from error


def checked_optimizer(made: Any) -> torch.optim.Optimizer:
    """Return what an ``optimizer`` made of the parameters.

    Raises
    ------
    InputError : if it is no optimiser, or one whose steps need a closure
    """
    if not isinstance(made, torch.optim.Optimizer):
        raise InputError(f"optimizer made a {type(made).__name__} of the parameters; expected a torch.optim.Optimizer")
    closure = inspect.signature(made.step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise InputError(
            f"optimizer made {type(made).__name__}, which takes the loss several times a step; expected one that takes "
            "a gradient, such as torch.optim.AdamW"
        )
    return made


def checked_schedule(schedule: Any) -> Callable[[int], Callable[[int], float]]:
    """Return a schedule that was tried out at its first step; the default for None.

    Raises
    ------
    InputError : if it is no function from the number of steps to a function from a step to a factor
    """
    if schedule is None:
        return triangle
    expected = "expected a function from the number of steps to a schedule, such as gradus.optim.cosine"
    if not callable(schedule):
        raise InputError(f"schedule is {schedule!r}; {expected}")

    def of_steps(steps: int) -> Callable[[int], float]:
        try:
            factors = schedule(steps)
            first = factors(0)
        except TypeError as error:
            raise InputError(f"schedule is {schedule!r}, which is none ({error}); {expected}") from error
        if not isinstance(first, Real):
            raise InputError(f"schedule gives {first!r} for the first of {steps} steps; {expected}")
        found: Callable[[int], float] = factors
        return found

    return of_steps
