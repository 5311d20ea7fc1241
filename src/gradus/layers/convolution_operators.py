"""The products of a convolution as operators of torch that compile, export and differentiate, any number of times.

y = x * W is linear in x and in W, and so are its two pullbacks; the gradients of each of the three are the others:

    product(x, W)        x: to_images(u, W)     W: to_weights(u, x)
    to_images(u, W)      u: product(v, W)       W: to_weights(u, v)
    to_weights(u, x)     u: product(x, v)       x: to_images(u, v)

``to_both`` is the last two at once.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch

from gradus.layers import convolution_products as products
from gradus.layers import transforms
from gradus.layers.convolution_geometry import Sliding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

_GEOMETRY = "int[] stride, int[] dilation, int[] before, int[] after, int groups"


class _Product(torch.autograd.Function):
    """The convolution with our pullback."""

    @staticmethod
    def forward(images: Tensor, weights: Tensor, bias: Tensor | None, geometry: Sliding) -> Tensor:
        return _value(images, weights, bias, geometry)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        images, weights, _, geometry = inputs
        ctx.save_for_backward(images, weights)
        ctx.geometry = geometry

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Any, ...]:
        images, weights = ctx.saved_tensors
        wanted, geometry = ctx.needs_input_grad, _listed(ctx.geometry)
        of_images = of_weights = None
        if wanted[0] and wanted[1]:
            of_images, of_weights = to_both(upstream, images, weights, *geometry)
        elif wanted[0]:
            of_images = to_images(upstream, weights, images.shape[2:], *geometry)
        elif wanted[1]:
            of_weights = to_weights(upstream, images, weights.shape[2:], *geometry)
        of_bias = upstream.sum(dim=(0, *range(2, upstream.dim()))) if wanted[2] else None
        return of_images, of_weights, of_bias, None


# torch looks the parameters up in every call, and this first
_Product.forward.__signature__ = inspect.signature(_Product.forward)  # type: ignore[attr-defined]


def product(images: Tensor, weights: Tensor, bias: Tensor | None, geometry: Sliding) -> Tensor:
    """Return the convolution of images with weights, plus a bias; see ``convolution_products.product``.

    While ``torch.func`` or forward mode is at work it is torch's own, which knows all of their derivatives.
    """
    if transforms.at_work((images, weights, bias)):
        return products.product(images, weights, bias, geometry)
    wanted = images.requires_grad or weights.requires_grad or (bias is not None and bias.requires_grad)
    if not (wanted and torch.is_grad_enabled()):
        return _value(images, weights, bias, geometry)
    found: Tensor = _Product.apply(images, weights, bias, geometry)  # type: ignore[no-untyped-call]
    return found


def _value(images: Tensor, weights: Tensor, bias: Tensor | None, geometry: Sliding) -> Tensor:
    # what is compiled or exported is torch's, which others can read
    if torch.compiler.is_compiling() or not products.shallow(
        images, weights, geometry.output(images.shape[2:], weights.shape[2:]), geometry
    ):
        return products.product(images, weights, bias, geometry)
    found: Tensor = shallow_product(images, weights, bias, *_listed(geometry))
    return found


def transposed(upstream: Tensor, weights: Tensor, size: Sequence[int], geometry: Sliding) -> Tensor:
    """Return ``to_images``, by torch's own operator in a file for other programs, and where ``product`` is."""
    if torch.onnx.is_in_onnx_export() or transforms.at_work((upstream, weights)):
        return products.transposed(upstream, weights, size, geometry)
    found: Tensor = to_images(upstream, weights, list(size), *_listed(geometry))
    return found


def _sliding(geometry: Sequence[Any]) -> Sliding:
    stride, dilation, before, after = (tuple(numbers) for numbers in geometry[:4])
    return Sliding(stride, dilation, before, after, geometry[4])


def _listed(geometry: Sliding) -> tuple[list[int], list[int], list[int], list[int], int]:
    stride, dilation, before, after = (list(numbers) for numbers in geometry[:4])
    return stride, dilation, before, after, geometry.groups


def _shallow_product(images: Tensor, weights: Tensor, bias: Tensor | None, *geometry: Any) -> Tensor:
    return products.shallow_product(images, weights, bias, _sliding(geometry))


def _to_images(upstream: Tensor, weights: Tensor, size: Sequence[int], *geometry: Any) -> Tensor:
    return products.to_images(upstream, weights, size, _sliding(geometry))


def _to_weights(upstream: Tensor, images: Tensor, kernel: Sequence[int], *geometry: Any) -> Tensor:
    return products.to_weights(upstream, images, kernel, _sliding(geometry))


def _to_both(upstream: Tensor, images: Tensor, weights: Tensor, *geometry: Any) -> tuple[Tensor, Tensor]:
    return products.to_both(upstream, images, weights, _sliding(geometry))


def _operator(name: str, run: Callable[..., Any], given: str, result: str) -> Any:
    schema = f"({given}, {_GEOMETRY}) -> {result}"
    return torch.library.custom_op(f"gradus::{name}", run, mutates_args=(), schema=schema)


shallow_product = _operator(
    "shallow_convolution", _shallow_product, "Tensor images, Tensor weights, Tensor? bias", "Tensor"
)
to_images = _operator("convolution_to_images", _to_images, "Tensor upstream, Tensor weights, SymInt[] size", "Tensor")
to_weights = _operator(
    "convolution_to_weights", _to_weights, "Tensor upstream, Tensor images, SymInt[] kernel", "Tensor"
)
to_both = _operator(
    "convolution_to_both", _to_both, "Tensor upstream, Tensor images, Tensor weights", "(Tensor, Tensor)"
)


def _shape_of_product(images: Tensor, weights: Tensor, bias: Tensor | None, *geometry: Any) -> Tensor:
    size = _sliding(geometry).output(images.shape[2:], weights.shape[2:])
    return images.new_empty(images.shape[0], weights.shape[0], *size)


def _shape_of_images(upstream: Tensor, weights: Tensor, size: Sequence[int], *geometry: Any) -> Tensor:
    return upstream.new_empty(upstream.shape[0], weights.shape[1] * geometry[4], *size)


def _shape_of_weights(upstream: Tensor, images: Tensor, kernel: Sequence[int], *geometry: Any) -> Tensor:
    return images.new_empty(upstream.shape[1], images.shape[1] // geometry[4], *kernel)


def _shapes_of_both(upstream: Tensor, images: Tensor, weights: Tensor, *geometry: Any) -> tuple[Tensor, Tensor]:
    return images.new_empty(images.shape), weights.new_empty(weights.shape)


def _save(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    tensors = [t for t in inputs if isinstance(t, torch.Tensor)]
    ctx.save_for_backward(*tensors)
    ctx.geometry = inputs[3:]


def _of_to_images(ctx: Any, direction: Tensor) -> tuple[Any, ...]:
    upstream, weights = ctx.saved_tensors
    wanted = ctx.needs_input_grad
    of_upstream = product(direction, weights, None, _sliding(ctx.geometry)) if wanted[0] else None
    of_weights = to_weights(upstream, direction, weights.shape[2:], *ctx.geometry) if wanted[1] else None
    return of_upstream, of_weights, *(None,) * 6


def _of_to_weights(ctx: Any, direction: Tensor) -> tuple[Any, ...]:
    upstream, images = ctx.saved_tensors
    wanted = ctx.needs_input_grad
    of_upstream = product(images, direction, None, _sliding(ctx.geometry)) if wanted[0] else None
    of_images = to_images(upstream, direction, images.shape[2:], *ctx.geometry) if wanted[1] else None
    return of_upstream, of_images, *(None,) * 6


def _of_to_both(ctx: Any, along_images: Tensor, along_weights: Tensor) -> tuple[Any, ...]:
    upstream, images, weights = ctx.saved_tensors
    wanted, geometry = ctx.needs_input_grad, _sliding(ctx.geometry)
    of_upstream = of_images = of_weights = None
    if wanted[0]:
        of_upstream = product(along_images, weights, None, geometry) + product(images, along_weights, None, geometry)
    if wanted[1]:
        of_images = to_images(upstream, along_weights, images.shape[2:], *ctx.geometry)
    if wanted[2]:
        of_weights = to_weights(upstream, along_images, weights.shape[2:], *ctx.geometry)
    return of_upstream, of_images, of_weights, *(None,) * 5


def _folding(operator: Any, *, first_alone: bool) -> Callable[..., tuple[Any, Any]]:
    """Return the rule of ``torch.vmap``: a batch of first inputs alone goes into the samples, others one by one."""

    def batched(info: Any, axes: tuple[Any, ...], *given: Any) -> tuple[Any, Any]:
        mapped = [isinstance(t, torch.Tensor) and axis is not None for t, axis in zip(given[:3], axes[:3], strict=True)]
        tensors = [t.movedim(a, 0) if on else t for t, a, on in zip(given[:3], axes[:3], mapped, strict=True)]
        if first_alone and mapped == [True, False, False]:
            folded = operator(tensors[0].flatten(0, 1), *given[1:])
            return folded.unflatten(0, tensors[0].shape[:2]), 0
        rows = [
            operator(*(t[i] if on else t for t, on in zip(tensors, mapped, strict=True)), *given[3:])
            for i in range(info.batch_size)
        ]
        if isinstance(rows[0], tuple):
            return tuple(torch.stack(each) for each in zip(*rows, strict=True)), (0, 0)
        return torch.stack(rows), 0

    return batched


shallow_product.register_fake(_shape_of_product)
for _each, _shape, _backward, _first_alone in (
    (to_images, _shape_of_images, _of_to_images, True),
    (to_weights, _shape_of_weights, _of_to_weights, False),
    (to_both, _shapes_of_both, _of_to_both, False),
):
    _each.register_fake(_shape)
    _each.register_autograd(_backward, setup_context=_save)
    _each.register_vmap(_folding(_each, first_alone=_first_alone))
