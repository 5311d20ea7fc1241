"""Layers whose gradients are closed forms: torch modules and functions. Names load on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradus.kernels.window_pooling import Bins, Same, Windows
    from gradus.layers.geometry import windows
    from gradus.layers.max_pool import (
        MaxPool1d,
        MaxPool2d,
        MaxPool3d,
        MinPool1d,
        MinPool2d,
        MinPool3d,
        max_pool,
        max_pool2d,
        min_pool,
    )

_NAMES = {
    "gradus.kernels.window_pooling": ("Bins", "Same", "Windows"),
    "gradus.layers.geometry": ("windows",),
    "gradus.layers.max_pool": (
        *("MaxPool1d", "MaxPool2d", "MaxPool3d", "MinPool1d", "MinPool2d", "MinPool3d"),
        *("max_pool", "max_pool2d", "min_pool"),
    ),
}
_HOME = {name: home for home, names in _NAMES.items() for name in names}

__all__ = [
    "Bins",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MinPool1d",
    "MinPool2d",
    "MinPool3d",
    "Same",
    "Windows",
    "max_pool",
    "max_pool2d",
    "min_pool",
    "windows",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'gradus.layers' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
