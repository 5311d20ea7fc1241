"""A pooling variant becomes two operators of torch, itself and its pullback, that compile, export and differentiate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from gradus.kernels.window_pooling import Call, Pooled, Variant, backward, forward, from_code
from gradus.kernels.window_pooling.call import winner_dtype
from gradus.kernels.window_pooling.reference import pooled as differentiable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from gradus.kernels.window_pooling import Geometry
    from gradus.layers.exported_forms import Form

# of a list of tensors torch would make a tree in every call
_POSITIONS = "Tensor? first, Tensor? second, Tensor? third"
_GIVEN = f"Tensor x, Tensor? other, Tensor? weights, Tensor? extra, {_POSITIONS}, int[] windows, float[] settings"
_FORWARD = f"({_GIVEN}, bool keep) -> (Tensor, Tensor, Tensor)"
_KEPT = "Tensor value, Tensor aside, Tensor winner"
_PULLBACK = f"(Tensor upstream, {_GIVEN}, {_KEPT}, bool learn) -> (Tensor, Tensor, Tensor)"


@dataclass(frozen=True)
class Inputs:
    """What a variant may be given beside its first input; see ``gradus.kernels.window_pooling.Call``."""

    geometry: Geometry
    settings: tuple[float, ...] = (0.0,)
    other: Tensor | None = None
    weights: Tensor | None = None
    extra: Tensor | None = None
    positions: tuple[Tensor, ...] = ()

    def call(self, x: Tensor) -> Call:
        """Return what a kernel is given of them and ``x``."""
        drawn = self.positions or None
        return Call(x, self.geometry, self.settings, self.weights, self.other, self.extra, drawn)


class Operator:
    """A variant as ``torch.ops.gradus.NAME`` and ``torch.ops.gradus.NAME_pullback``.

    Its gradient is the variant's own; the gradient of the pullback (second derivatives) is autograd's of the reference.

    Parameters
    ----------
    variant : what a window comes to
    form : the value by operators that ONNX has, for ``torch.onnx.export``; where there is none, windows are written out
    """

    def __init__(self, variant: Variant, form: Form | None = None) -> None:
        self.variant, self.form = variant, form
        name = f"gradus::{variant.name}"
        self._operator = torch.library.custom_op(name, self._run, mutates_args=(), schema=_FORWARD)
        self._pullback = torch.library.custom_op(f"{name}_pullback", self._pull, mutates_args=(), schema=_PULLBACK)
        self._operator.register_fake(self._shapes)
        self._pullback.register_fake(_shapes_of_pullback)
        self._operator.register_autograd(self._backward, setup_context=self._save)
        self._pullback.register_autograd(self._backward_twice, setup_context=_save_twice)
        self._operator.register_vmap(self._batched)

    def __call__(self, x: Tensor, inputs: Inputs, *, keep: bool = False) -> Pooled:
        """Return the values of the windows of ``x``, and what was kept: for ``keep``, or a gradient that is wanted."""
        tensors = (x, inputs.other, inputs.weights, inputs.extra)
        if torch.onnx.is_in_onnx_export():
            return self._exported(inputs.call(x), keep=keep)
        wanted = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors)
        drawn, code = (*inputs.positions, None, None, None)[:3], inputs.geometry.code()
        value, aside, winner = self._operator(*tensors, *drawn, code, list(inputs.settings), keep or wanted)
        return Pooled(value, aside, winner)

    def _exported(self, call: Call, *, keep: bool) -> Pooled:
        value = None if keep or self.form is None else self.form(call)
        return differentiable(self.variant, call) if value is None else Pooled(value)

    def _run(self, *given: Any) -> tuple[Tensor, Tensor, Tensor]:
        call = _call(*given[:9])
        found = forward(self.variant, call, keep=given[9])
        return found.value, _or_empty(found.aside, call.x), _or_empty(found.winner, call.x)

    def _pull(self, upstream: Tensor, *given: Any) -> tuple[Tensor, Tensor, Tensor]:
        call = _call(*given[:9])
        pooled = Pooled(given[9], _or_none(given[10]), _or_none(given[11]))
        found = backward(self.variant, call, upstream, pooled, learn=given[12])
        return found[0], _or_empty(found[1], call.x), _or_empty(found[2], call.x)

    def _shapes(self, *given: Any) -> tuple[Tensor, Tensor, Tensor]:
        x, positions, windows, keep = given[0], _drawn(*given[4:7]), given[7], given[9]
        sizes = [p.shape[1] for p in positions] if positions else list(from_code(windows).output(x.shape[2:]))
        value = _like(x, sizes, x.dtype)
        wide = torch.float32 if x.dtype in (torch.float16, torch.bfloat16) else x.dtype
        aside = _like(x, sizes, wide) if self.variant.puts_aside and keep else x.new_empty(0)
        if not (self.variant.names_winner and keep):
            return value, aside, x.new_empty(0)
        taps = 1
        for axis, size in enumerate(x.shape[2:]):
            taps = taps * (positions[axis].shape[2] if positions else from_code(windows).longest(axis, size))
        return value, aside, _like(x, sizes, winner_dtype(taps))

    def _save(self, ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
        *tensors, windows, settings, _ = inputs
        value, aside, winner = output
        ctx.mark_non_differentiable(aside, winner)
        # the input is kept as it is, not copied; its shape is needed in any case
        kept = value if self.variant.reads_value else value.new_empty(0)
        ctx.save_for_backward(*tensors, kept, aside, winner)
        ctx.windows, ctx.settings = windows, settings

    def _backward(self, ctx: Any, upstream: Tensor, *_: Any) -> tuple[Any, ...]:
        *tensors, value, aside, winner = ctx.saved_tensors
        given = (*tensors, ctx.windows, ctx.settings)
        learn = self.variant.learns and ctx.needs_input_grad[2]
        gradient, of_other, of_weights = self._pullback(upstream, *given, value, aside, winner, learn)
        of_other, of_weights = None if tensors[1] is None else of_other, of_weights if learn else None
        return gradient, of_other, of_weights, *(None,) * 7

    def _backward_twice(self, ctx: Any, *seconds: Tensor) -> tuple[Any, ...]:
        upstream, x, other, weights, extra, *drawn = ctx.saved_tensors
        leaves: list[Any] = [
            None if t is None else t.detach().requires_grad_() for t in (upstream, x, other, weights, extra)
        ]
        with torch.enable_grad():
            call = _call(*leaves[1:], *drawn, ctx.windows, ctx.settings)
            value = differentiable(self.variant, call).value
            there = [place for place, is_ in enumerate((True, self.variant.second_input, ctx.learn)) if is_]
            first = torch.autograd.grad(
                value,
                [leaves[1 + place] for place in there],
                leaves[0],
                create_graph=True,
                allow_unused=True,
                materialize_grads=True,
            )
            kept = [(f, seconds[place]) for f, place in zip(first, there, strict=True) if f.requires_grad]
            wanted = [t for t in leaves if t is not None]
            found = iter(
                torch.autograd.grad([f for f, _ in kept], wanted, [s for _, s in kept], allow_unused=True)
                if kept
                else [None] * len(wanted)
            )
        return (*(None if t is None else next(found) for t in leaves), *(None,) * 9)

    def _batched(self, info: Any, axes: tuple[Any, ...], *given: Any) -> tuple[Any, Any]:
        """Fold the batch that ``torch.vmap`` adds into the samples."""
        x, other, weights, extra = given[:4]
        if axes[2] is not None:
            raise NotImplementedError("torch.vmap over the weights of a pooling layer; map over its inputs instead")
        size = info.batch_size
        folded = [
            None if t is None else (t.movedim(axis, 0) if axis is not None else t.expand(size, *t.shape))
            for t, axis in zip((x, other, extra), (axes[0], axes[1], axes[3]), strict=True)
        ]
        x, other, extra = (None if t is None else t.reshape(-1, *t.shape[2:]) for t in folded)
        found = self._operator(x, other, weights, extra, *given[4:])
        split = tuple(t.reshape(size, -1, *t.shape[1:]) if t.dim() > 1 else t for t in found)
        return split, tuple(0 if t.dim() > 2 else None for t in split)


def _call(x: Tensor, *given: Any) -> Call:
    """Return the call that an operator is given as ``_GIVEN`` says."""
    other, weights, extra, *drawn, windows, settings = given
    return Call(x, from_code(windows), tuple(settings), weights, other, extra, _drawn(*drawn) or None)


def _drawn(*positions: Tensor | None) -> tuple[Tensor, ...]:
    return tuple(p for p in positions if p is not None)


def _shapes_of_pullback(_: Tensor, x: Tensor, *given: Any) -> tuple[Tensor, Tensor, Tensor]:
    other, weights, learn = given[0], given[1], given[11]
    made = [_like(x, x.shape[2:], x.dtype) for _ in range(1 if other is None else 2)]
    of_weights = weights.new_empty(weights.shape) if learn else x.new_empty(0)
    return made[0], x.new_empty(0) if other is None else made[1], of_weights


def _save_twice(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    ctx.save_for_backward(*inputs[:8])
    ctx.windows, ctx.settings, ctx.learn = *inputs[8:10], inputs[-1]


def _like(x: Tensor, sizes: Sequence[Any], dtype: torch.dtype) -> Tensor:
    """Return an empty output in the memory format that the kernels give it."""
    shape = (*x.shape[:2], *sizes)
    if x.dim() in (4, 5) and not x.is_contiguous():
        last = torch.channels_last if x.dim() == 4 else torch.channels_last_3d
        if x.is_contiguous(memory_format=last):
            return x.new_empty(shape, dtype=dtype).contiguous(memory_format=last)
    return x.new_empty(shape, dtype=dtype)


def _or_empty(tensor: Tensor | None, x: Tensor) -> Tensor:
    return x.new_empty(0) if tensor is None else tensor


def _or_none(tensor: Tensor) -> Tensor | None:
    return tensor if tensor.dim() > 1 else None
