"""By torch's own unfolding into columns; right on any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.shallow_conv2d.plan import Plan


def product(images: Tensor, weights: Tensor, bias: Tensor | None, plan: Plan) -> Tensor:
    """Return the convolution; see the package."""
    rows = weights.flatten(1) @ _columns(images, plan)
    found = rows if bias is None else rows + bias[:, None]
    return found.reshape(len(images), len(weights), *plan.output(*images.shape[2:]))


def gradients(
    upstream: Tensor, images: Tensor, weights: Tensor, plan: Plan, wanted: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """Return the gradients; see the package."""
    rows = upstream.flatten(2)
    of_images = of_weights = None
    if wanted[0]:
        height, width = (images.shape[2 + axis] + plan.before[axis] + plan.after[axis] for axis in (0, 1))
        columns = weights.flatten(1).T @ rows
        padded = functional.fold(columns, (height, width), plan.kernel, plan.dilation, 0, plan.stride)
        of_images = functional.pad(padded, [-n for n in _around(plan)])
    if wanted[1]:
        of_weights = (rows @ _columns(images, plan).transpose(1, 2)).sum(dim=0).reshape(weights.shape)
    return of_images, of_weights


def _columns(images: Tensor, plan: Plan) -> Tensor:
    padded = functional.pad(images, _around(plan))
    return functional.unfold(padded, plan.kernel, plan.dilation, 0, plan.stride)


def _around(plan: Plan) -> list[int]:
    (top, left), (bottom, right) = plan.before, plan.after
    return [left, right, top, bottom]
