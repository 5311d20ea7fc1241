"""Sizes of the results of convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradus.derive.index_form import Apply


def output_sizes(node: Apply) -> list[int]:
    """Return the sizes of the result of ``node``, a conv2d or its transpose."""
    sizes = []
    for large, small in zip(node.arguments[0].indices, node.arguments[1].indices, strict=True):
        assert isinstance(large.size, int)
        assert isinstance(small.size, int)
        sizes.append(large.size - small.size + 1 if node.name == "conv2d" else large.size + small.size - 1)
    return sizes
