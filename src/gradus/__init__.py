"""Machine learning on closed-form gradients.

Public names load on first use, so ``import gradus`` costs neither torch nor numba.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradus import derive
    from gradus.estimators import TSNE, ConvNetClassifier, SoftmaxRegression, SoftmaxRegressionCV

__version__ = "0.1.0"

_HOME = {
    "ConvNetClassifier": "gradus.estimators",
    "SoftmaxRegression": "gradus.estimators",
    "SoftmaxRegressionCV": "gradus.estimators",
    "TSNE": "gradus.estimators",
}
# rooms that can be called like the function of their name
_ROOMS = {"derive"}

__all__ = ["TSNE", "ConvNetClassifier", "SoftmaxRegression", "SoftmaxRegressionCV", "__version__", "derive"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    if name in _ROOMS:
        return importlib.import_module(f"gradus.{name}")
    raise AttributeError(f"module 'gradus' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
