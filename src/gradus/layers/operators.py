"""A pooling variant becomes two operators of torch, itself and its pullback, that compile, export and differentiate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from gradus.core.devices import require_one_device
from gradus.kernels.window_pooling import Call, Pooled, Variant, backward, forward, from_code, repeated
from gradus.kernels.window_pooling.call import winner_dtype
from gradus.kernels.window_pooling.reference import pooled as differentiable
from gradus.layers import mapping, transforms
from gradus.layers.direct import node
from gradus.layers.eager import is_eager

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from gradus.kernels.window_pooling import Geometry, Gradients
    from gradus.layers.exported_forms import Form

# of a list of tensors torch would make a tree in every call
_POSITIONS = "Tensor? first, Tensor? second, Tensor? third"
_GIVEN = f"Tensor x, Tensor? other, Tensor? weights, Tensor? extra, {_POSITIONS}, int[] windows, float[] settings"
_FORWARD = f"({_GIVEN}, bool keep) -> (Tensor, Tensor, Tensor)"
_KEPT = "Tensor value, Tensor aside, Tensor winner"
_PULLBACK = f"(Tensor upstream, {_GIVEN}, {_KEPT}, bool learn) -> (Tensor, Tensor, Tensor)"

# shapes of inputs whose like may be seen again
MOST_SEEN = 256


@dataclass(frozen=True)
class Inputs:
    """What a variant may be given beside its first input; see ``gradus.kernels.window_pooling.Call``."""

    geometry: Geometry
    settings: tuple[float, ...] = (0.0,)
    other: Tensor | None = None
    weights: Tensor | None = None
    extra: Tensor | None = None
    positions: tuple[Tensor, ...] = ()

    def without_tensors(self) -> Inputs:
        """Return these with no tensors but positions, which are no tensors that autograd looks after."""
        return Inputs(self.geometry, self.settings, positions=self.positions)

    def with_tensors(self, other: Tensor | None, weights: Tensor | None, extra: Tensor | None) -> Inputs:
        """Return these with other tensors."""
        return Inputs(self.geometry, self.settings, other, weights, extra, self.positions)

    def require_device_of(self, x: Tensor) -> None:
        """Raise an InputError unless the tensors are where ``x`` is; drawn positions are moved there."""
        rest = {"the logits": self.other, "the weights": self.weights, "uniform": self.extra}
        require_one_device(**{"the input": x} | rest)

    def call(self, x: Tensor) -> Call:
        """Return what a kernel is given of them and ``x``."""
        drawn = self.positions or None
        return Call(x, self.geometry, self.settings, self.weights, self.other, self.extra, drawn)


class Operator:
    """A variant as ``torch.ops.gradus.NAME`` and ``torch.ops.gradus.NAME_pullback``.

    Its gradient is the variant's own; the gradient of the pullback (second derivatives) is autograd's of the reference.
    Under the transforms of ``torch.func`` the same two are called by ``transforms``.

    Parameters
    ----------
    variant : what a window comes to
    form : the value by operators that ONNX has, for ``torch.onnx.export``; where there is none, windows are written out
    """

    def __init__(self, variant: Variant, form: Form | None = None) -> None:
        self.variant, self.form = variant, form
        self._node = node(variant.name)
        self._seen: dict[Any, Callable[[Tensor], Tensor]] = {}
        name = f"gradus::{variant.name}"
        self.value = torch.library.custom_op(name, self._run, mutates_args=(), schema=_FORWARD)
        self.pullback = torch.library.custom_op(f"{name}_pullback", self._pull, mutates_args=(), schema=_PULLBACK)
        self.value.register_fake(self._shapes)
        self.pullback.register_fake(_shapes_of_pullback)
        self.value.register_autograd(self._backward, setup_context=partial(transforms.save_value, self))
        self.pullback.register_autograd(self._backward_twice, setup_context=transforms.save_pullback)
        self.value.register_vmap(mapping.rule(self.value, mapping.OF_VALUE))
        self.pullback.register_vmap(mapping.rule(self.pullback, mapping.OF_PULLBACK))

    def __call__(self, x: Tensor, inputs: Inputs, *, keep: bool = False) -> Pooled:
        """Return the values of the windows of ``x``, and what was kept: for ``keep``, or a gradient that is wanted."""
        tensors = (x, inputs.other, inputs.weights, inputs.extra)
        wanted = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors)
        if is_eager(*tensors, *inputs.positions):
            if wanted:
                return Pooled(*self._node.apply(self, inputs, *tensors))
            return forward(self.variant, inputs.call(x), keep=keep)
        inputs.require_device_of(x)
        if torch.onnx.is_in_onnx_export():
            return self._exported(inputs.call(x), keep=keep)
        given = (*tensors, *_drawn_and_code(inputs))
        if transforms.at_work(tensors):
            if torch.compiler.is_compiling():  # which takes apart what torch.func does, but no operator of ours
                return self._exported(inputs.call(x), keep=keep)
            return Pooled(*transforms.value(self, *given, keep))
        return Pooled(*self.value(*given, keep or wanted))

    def gradients(self, upstream: Tensor, x: Tensor, inputs: Inputs, kept: Pooled, *, learn: bool) -> Gradients:
        """Return the gradients of ``x``, of the other input and of the weights, which may be differentiated again."""
        tensors = (x, inputs.other, inputs.weights, inputs.extra)
        known = (x.new_empty(0) if t is None else t for t in kept)
        found: Gradients = self.pullback(upstream, *tensors, *_drawn_and_code(inputs), *known, learn)
        return found

    def reference(self, windows: Sequence[int], settings: Sequence[float], drawn: Sequence[Tensor | None]) -> Any:
        """Return the value of windows as a function of x, other, weights and extra, in plain torch."""

        def value(x: Tensor, other: Tensor | None, weights: Tensor | None, extra: Tensor | None) -> Tensor:
            return differentiable(self.variant, _call(x, other, weights, extra, *drawn, windows, settings)).value

        return value

    def again(self, x: Tensor, inputs: Inputs) -> Tensor | None:
        """Return the values of the windows of ``x``, for which nothing else is wanted, if its like has been seen.

        ``is_plain`` tells of what nothing else is wanted.
        """
        seen = self._seen.get(_key(x, inputs))
        return None if seen is None else seen(x)

    def remember(self, x: Tensor, inputs: Inputs) -> None:
        """Work out how the like of ``x`` is pooled ``again``, if nothing but it is given."""
        if all(t is None for t in (inputs.other, inputs.weights, inputs.extra)) and not inputs.positions:
            if len(self._seen) >= MOST_SEEN:
                self._seen.clear()
            seen = repeated(self.variant, inputs.call(x))
            if seen is not None:
                self._seen[_key(x, inputs)] = seen

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

    def _backward(self, ctx: Any, upstream: Tensor, *_: Any) -> tuple[Any, ...]:
        pullback = transforms.pullback_of(self) if transforms.at_work((upstream,)) else self.pullback
        return transforms.pulled(self, pullback, ctx, upstream)

    def _backward_twice(self, ctx: Any, *seconds: Tensor) -> tuple[Any, ...]:
        return transforms.pulled_twice(self, ctx, seconds)


def _drawn_and_code(inputs: Inputs) -> tuple[Any, ...]:
    return *(*inputs.positions, None, None, None)[:3], inputs.geometry.code(), list(inputs.settings)


def _key(x: Tensor, inputs: Inputs) -> tuple[Any, ...]:
    return x.shape, x.stride(), x.dtype, inputs.geometry, inputs.settings, torch.get_num_threads()


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
