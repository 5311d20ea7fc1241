"""The products of a convolution as operators of torch that compile, export and differentiate, any number of times.

y = x * W is linear in x and in W, and so are its two pullbacks; the gradients of each of the three are the others:

    product(x, W)        x: to_images(u, W)     W: to_weights(u, x)
    to_images(u, W)      u: product(v, W)       W: to_weights(u, v)
    to_weights(u, x)     u: product(x, v)       x: to_images(u, v)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gradus.layers import convolution_products as products
from gradus.layers.convolution_geometry import Sliding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

_GEOMETRY = "int[] stride, int[] dilation, int[] before, int[] after, int groups"


def _sliding(geometry: Sequence[Any]) -> Sliding:
    stride, dilation, before, after = (tuple(numbers) for numbers in geometry[:4])
    return Sliding(stride, dilation, before, after, geometry[4])


def _product(images: Tensor, weights: Tensor, bias: Tensor | None, *geometry: Any) -> Tensor:
    return products.product(images, weights, bias, _sliding(geometry))


def _to_images(upstream: Tensor, weights: Tensor, size: Sequence[int], *geometry: Any) -> Tensor:
    return products.to_images(upstream, weights, size, _sliding(geometry))


def _to_weights(upstream: Tensor, images: Tensor, kernel: Sequence[int], *geometry: Any) -> Tensor:
    return products.to_weights(upstream, images, kernel, _sliding(geometry))


def _operator(name: str, run: Callable[..., Tensor], given: str) -> Any:
    schema = f"({given}, {_GEOMETRY}) -> Tensor"
    return torch.library.custom_op(f"gradus::{name}", run, mutates_args=(), schema=schema)


product = _operator("convolution", _product, "Tensor images, Tensor weights, Tensor? bias")
to_images = _operator("convolution_to_images", _to_images, "Tensor upstream, Tensor weights, SymInt[] size")
to_weights = _operator("convolution_to_weights", _to_weights, "Tensor upstream, Tensor images, SymInt[] kernel")


def convolved(images: Tensor, weights: Tensor, bias: Tensor | None, geometry: Sliding) -> Tensor:
    """Return ``product``, in a file for other programs by torch's own operator, which they know."""
    if torch.onnx.is_in_onnx_export():
        return products.product(images, weights, bias, geometry)
    found: Tensor = product(images, weights, bias, *_listed(geometry))
    return found


def transposed(upstream: Tensor, weights: Tensor, size: Sequence[int], geometry: Sliding) -> Tensor:
    """Return ``to_images``, in a file for other programs by torch's own operator, which they know."""
    if torch.onnx.is_in_onnx_export():
        return products.transposed(upstream, weights, size, geometry)
    found: Tensor = to_images(upstream, weights, list(size), *_listed(geometry))
    return found


def _listed(geometry: Sliding) -> tuple[list[int], list[int], list[int], list[int], int]:
    stride, dilation, before, after = (list(numbers) for numbers in geometry[:4])
    return stride, dilation, before, after, geometry.groups


def _shape_of_product(images: Tensor, weights: Tensor, bias: Tensor | None, *geometry: Any) -> Tensor:
    size = _sliding(geometry).output(images.shape[2:], weights.shape[2:])
    return images.new_empty(images.shape[0], weights.shape[0], *size)


def _shape_of_images(upstream: Tensor, weights: Tensor, size: Sequence[int], *geometry: Any) -> Tensor:
    return upstream.new_empty(upstream.shape[0], weights.shape[1] * geometry[4], *size)


def _shape_of_weights(upstream: Tensor, images: Tensor, kernel: Sequence[int], *geometry: Any) -> Tensor:
    return images.new_empty(upstream.shape[1], images.shape[1] // geometry[4], *kernel)


def _save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(inputs[0], inputs[1])
    ctx.geometry = inputs[3:]


def _of_product(ctx: Any, upstream: Tensor) -> tuple[Any, ...]:
    images, weights = ctx.saved_tensors
    wanted, rest = ctx.needs_input_grad, (None,) * 5
    of_images = to_images(upstream, weights, images.shape[2:], *ctx.geometry) if wanted[0] else None
    of_weights = to_weights(upstream, images, weights.shape[2:], *ctx.geometry) if wanted[1] else None
    of_bias = upstream.sum(dim=(0, *range(2, upstream.dim()))) if wanted[2] else None
    return of_images, of_weights, of_bias, *rest


def _of_to_images(ctx: Any, direction: Tensor) -> tuple[Any, ...]:
    upstream, weights = ctx.saved_tensors
    wanted = ctx.needs_input_grad
    of_upstream = product(direction, weights, None, *ctx.geometry) if wanted[0] else None
    of_weights = to_weights(upstream, direction, weights.shape[2:], *ctx.geometry) if wanted[1] else None
    return of_upstream, of_weights, *(None,) * 6


def _of_to_weights(ctx: Any, direction: Tensor) -> tuple[Any, ...]:
    upstream, images = ctx.saved_tensors
    wanted = ctx.needs_input_grad
    of_upstream = product(images, direction, None, *ctx.geometry) if wanted[0] else None
    of_images = to_images(upstream, direction, images.shape[2:], *ctx.geometry) if wanted[1] else None
    return of_upstream, of_images, *(None,) * 6


def _folding(operator: Any, *, first_alone: bool) -> Callable[..., tuple[Tensor, int]]:
    """Return the rule of ``torch.vmap``: a batch of first inputs alone goes into the samples, others one by one."""

    def batched(info: Any, axes: tuple[Any, ...], *given: Any) -> tuple[Tensor, int]:
        tensors = [
            t if t is None or axis is None else t.movedim(axis, 0) for t, axis in zip(given[:3], axes[:3], strict=True)
        ]
        mapped = [axis is not None for axis in axes[:3]]
        if first_alone and mapped == [True, False, False]:
            folded = operator(tensors[0].flatten(0, 1), *given[1:])
            return folded.unflatten(0, tensors[0].shape[:2]), 0
        rows = [
            operator(*(t[i] if on else t for t, on in zip(tensors, mapped, strict=True)), *given[3:])
            for i in range(info.batch_size)
        ]
        return torch.stack(rows), 0

    return batched


for _each, _shape, _backward, _first_alone in (
    (product, _shape_of_product, _of_product, True),
    (to_images, _shape_of_images, _of_to_images, True),
    (to_weights, _shape_of_weights, _of_to_weights, False),
):
    _each.register_fake(_shape)
    _each.register_autograd(_backward, setup_context=_save)
    _each.register_vmap(_folding(_each, first_alone=_first_alone))
