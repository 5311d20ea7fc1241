"""A pooling layer and its gradient where nobody but autograd is told: the kernels called without torch's dispatcher."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gradus.kernels.window_pooling import Pooled, backward, forward
from gradus.layers.eager import is_eager

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.layers.operators import Inputs, Operator


def node(name: str) -> Any:
    """Return the function of autograd, shown under ``name``, that calls the kernels of an operator.

    It is given (operator, its inputs, x, the second input, the weights, the extra numbers), and gives what is
    ``Pooled``; second derivatives are the operator's.
    """
    own = {"forward": staticmethod(_forward), "backward": staticmethod(_backward)}
    return type(name, (torch.autograd.Function,), own)


def _forward(ctx: Any, operator: Operator, inputs: Inputs, x: Tensor, *others: Tensor | None) -> Any:
    found = forward(operator.variant, inputs.call(x), keep=True)
    ctx.mark_non_differentiable(*(t for t in found[1:] if t is not None))
    value = found.value if operator.variant.reads_value else None
    ctx.save_for_backward(x, *others, value, *found[1:])
    ctx.operator, ctx.inputs = operator, inputs.without_tensors()
    return tuple(found)


def _backward(ctx: Any, upstream: Tensor, *_: Any) -> tuple[Any, ...]:
    x, other, weights, extra, value, aside, winner = ctx.saved_tensors
    operator: Operator = ctx.operator
    learn = operator.variant.learns and ctx.needs_input_grad[4]
    inputs, kept = ctx.inputs.with_tensors(other, weights, extra), Pooled(value, aside, winner)
    if torch.is_grad_enabled() or not is_eager(upstream):
        found = operator.gradients(upstream, x, inputs, kept, learn=learn)
    else:
        found = backward(operator.variant, inputs.call(x), upstream, kept, learn=learn)
    gradient, of_other, of_weights = found
    return None, None, gradient, None if other is None else of_other, of_weights if learn else None, None
