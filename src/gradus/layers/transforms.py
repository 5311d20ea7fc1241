"""Derivatives of a pooling operator: its pullback, that one's by the reference, and what ``torch.func`` asks for.

torch's operators know autograd, but not the transforms of ``torch.func`` (grad, jvp, hessian, vmap of grad) nor forward
mode; while these are at work, an ``autograd.Function`` calls the same operators.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.autograd import forward_ad

from gradus.layers import mapping

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from gradus.layers.operators import Operator

# x, other, weights and extra; behind them three of positions
TENSORS, GIVEN = 4, 7
# which returns two values or three, as torch's types say
vjp: Any = torch.func.vjp


def at_work(tensors: Sequence[Tensor | None]) -> bool:
    """Return whether a transform of ``torch.func`` is at work, or one of the tensors has a tangent."""
    if torch._C._are_functorch_transforms_active():
        return True
    return not torch.compiler.is_compiling() and any(t is not None and _has_tangent(t) for t in tensors)


def _has_tangent(tensor: Tensor) -> bool:
    return forward_ad.unpack_dual(tensor).tangent is not None  # type: ignore[no-untyped-call]


def value(operator: Operator, *given: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return what ``operator.value`` does, kept if a gradient is wanted at any level of the transforms."""
    *others, keep = given
    wanted = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in given[:TENSORS])
    found: tuple[Tensor, Tensor, Tensor] = _Value.apply(*others, keep or wanted, operator)  # type: ignore[no-untyped-call]
    return found


def pullback_of(operator: Operator) -> Callable[..., tuple[Tensor, Tensor, Tensor]]:
    """Return ``operator.pullback`` as it is under transforms."""

    def pullback(*given: Any) -> tuple[Tensor, Tensor, Tensor]:
        found: tuple[Tensor, Tensor, Tensor] = _Pullback.apply(*given, operator)  # type: ignore[no-untyped-call]
        return found

    return pullback


def save_value(operator: Operator, ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    """Keep what ``pulled`` needs; the input as it is, not a copy."""
    found, aside, winner = output
    ctx.mark_non_differentiable(aside, winner)
    # the shape of the input is needed in any case
    kept = found if operator.variant.reads_value else found.new_empty(0)
    ctx.save_for_backward(*inputs[:GIVEN], kept, aside, winner)
    ctx.windows, ctx.settings = inputs[GIVEN], inputs[GIVEN + 1]


def pulled(operator: Operator, pullback: Callable[..., Any], ctx: Any, upstream: Tensor) -> tuple[Any, ...]:
    """Return the gradients of the arguments of ``operator.value``, by its ``pullback``."""
    saved = ctx.saved_tensors  # read once: activation checkpointing computes them anew
    tensors, kept = saved[:GIVEN], saved[GIVEN:]
    learn = operator.variant.learns and ctx.needs_input_grad[2]
    of_x, of_other, of_weights = pullback(upstream, *tensors, ctx.windows, ctx.settings, *kept, learn)
    return of_x, None if tensors[1] is None else of_other, of_weights if learn else None, *(None,) * 7


def save_pullback(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    """Keep what ``pulled_twice`` needs."""
    ctx.mark_non_differentiable(*(t for t in output if t.dim() == 1 and len(t) == 0))  # in the place of nothing
    ctx.save_for_backward(*inputs[: 1 + GIVEN])
    ctx.windows, ctx.settings, ctx.learn = inputs[1 + GIVEN], inputs[2 + GIVEN], inputs[-1]


def pulled_twice(operator: Operator, ctx: Any, seconds: Sequence[Tensor]) -> tuple[Any, ...]:
    """Return the gradients of the arguments of ``operator.pullback``: the reference's, which ``torch.func`` takes."""
    tensors = ctx.saved_tensors
    first, there = _first_gradients(operator, ctx, tensors)
    _, pull = vjp(first, *(t for t in tensors[: 1 + TENSORS] if t is not None))
    found = iter(pull(tuple(seconds[place] for place in there)))
    return *(None if t is None else next(found) for t in tensors[: 1 + TENSORS]), *(None,) * 9


def _first_gradients(
    operator: Operator, ctx: Any, tensors: Sequence[Tensor | None]
) -> tuple[Callable[..., tuple[Tensor, ...]], list[int]]:
    """Return the reference's gradients as a function of the tensors that are not None, and which of three they are."""
    present = [place for place, t in enumerate(tensors[: 1 + TENSORS]) if t is not None]
    there = [place for place, is_ in enumerate((True, operator.variant.second_input, ctx.learn)) if is_]
    reference = operator.reference(ctx.windows, ctx.settings, tensors[1 + TENSORS :])

    def first(*leaves: Tensor) -> tuple[Tensor, ...]:
        given: list[Any] = [None] * (1 + TENSORS)
        for place, leaf in zip(present, leaves, strict=True):
            given[place] = leaf

        def of_wanted(*wanted: Tensor) -> Tensor:
            inputs = given[1:]
            for place, one in zip(there, wanted, strict=True):
                inputs[place] = one
            found: Tensor = reference(*inputs)
            return found

        gradients: tuple[Tensor, ...] = vjp(of_wanted, *(given[1 + place] for place in there))[1](given[0])
        return gradients

    return first, there


def _pushed(function: Callable[..., Any], point: Sequence[Tensor], tangents: Sequence[Any]) -> Any:
    """Return the derivative of ``function`` along ``tangents``: its pullback, which is linear, pulled back."""
    along = tuple(torch.zeros_like(p) if t is None else t for p, t in zip(point, tangents, strict=True))
    found, pull = vjp(function, *point)
    zeros = tuple(map(torch.zeros_like, found)) if isinstance(found, tuple) else torch.zeros_like(found)
    return vjp(pull, zeros)[1](along)[0]


class _Value(torch.autograd.Function):
    """``Operator.value`` under transforms; the operator is the last argument."""

    @staticmethod
    def forward(*given: Any) -> tuple[Tensor, Tensor, Tensor]:
        found: tuple[Tensor, Tensor, Tensor] = given[-1].value(*given[:-1])
        return found

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
        ctx.operator = inputs[-1]
        save_value(ctx.operator, ctx, inputs, output)
        ctx.save_for_forward(*inputs[:GIVEN])

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Any, ...]:
        return *pulled(ctx.operator, pullback_of(ctx.operator), ctx, upstream[0]), None

    @staticmethod
    def vmap(info: Any, axes: tuple[Any, ...], *given: Any) -> tuple[Any, Any]:
        return mapping.rule(partial(value, given[-1]), mapping.OF_VALUE)(info, axes[:-1], *given[:-1])

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> tuple[Any, None, None]:
        tensors = ctx.saved_tensors[:GIVEN]
        reference = ctx.operator.reference(ctx.windows, ctx.settings, tensors[TENSORS:])
        present = [place for place, t in enumerate(tensors[:TENSORS]) if t is not None]

        def of_present(*leaves: Tensor) -> Any:
            given: list[Any] = [None] * TENSORS
            for place, leaf in zip(present, leaves, strict=True):
                given[place] = leaf
            return reference(*given)

        return _pushed(of_present, [tensors[p] for p in present], [tangents[p] for p in present]), None, None


class _Pullback(torch.autograd.Function):
    """``Operator.pullback`` under transforms; the operator is the last argument."""

    @staticmethod
    def forward(*given: Any) -> tuple[Tensor, Tensor, Tensor]:
        found: tuple[Tensor, Tensor, Tensor] = given[-1].pullback(*given[:-1])
        return found

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.operator = inputs[-1]
        save_pullback(ctx, inputs[:-1], output)
        ctx.save_for_forward(*inputs[: 1 + GIVEN])

    @staticmethod
    def backward(ctx: Any, *seconds: Tensor) -> tuple[Any, ...]:
        return *pulled_twice(ctx.operator, ctx, seconds), None

    @staticmethod
    def vmap(info: Any, axes: tuple[Any, ...], *given: Any) -> tuple[Any, Any]:
        return mapping.rule(pullback_of(given[-1]), mapping.OF_PULLBACK)(info, axes[:-1], *given[:-1])

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> tuple[Any, ...]:
        tensors = ctx.saved_tensors
        present = [place for place, t in enumerate(tensors[: 1 + TENSORS]) if t is not None]
        first, there = _first_gradients(ctx.operator, ctx, tensors)
        found = dict(
            zip(there, _pushed(first, [tensors[p] for p in present], [tangents[p] for p in present]), strict=True)
        )
        return tuple(found.get(place) for place in range(3))
