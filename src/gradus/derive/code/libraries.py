"""What differs between NumPy and torch: how functions are called, and helpers that have to be defined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HELPERS_NUMPY = {
    "sigmoid": "def sigmoid(x):\n    return 0.5 * (1 + np.tanh(0.5 * x))",
    "softmax": (
        "def softmax(x):\n    weights = np.exp(x - x.max(axis=-1, keepdims=True))\n"
        "    return weights / weights.sum(axis=-1, keepdims=True)"
    ),
    "logsumexp": (
        "def logsumexp(x):\n    largest = x.max(axis=-1, keepdims=True)\n"
        "    return largest[..., 0] + np.log(np.exp(x - largest).sum(axis=-1))"
    ),
    "erf": "erf = np.vectorize(math.erf, otypes=[float])",
    "huber": "def huber(x, d):\n    return np.where(np.abs(x) <= d, x * x / 2, d * (np.abs(x) - d / 2))",
    "argmax": "def argmax(x):\n    return (np.arange(x.shape[-1]) == np.argmax(x, axis=-1)[..., None]) * 1.0",
    "conv2d": (
        "def conv2d(image, window):\n"
        "    views = np.lib.stride_tricks.sliding_window_view(image, window.shape)\n"
        '    return np.einsum("rsij,ij->rs", views, window)'
    ),
    "conv2d_transpose": (
        "def conv2d_transpose(upstream, window):\n    rows, columns = window.shape\n"
        "    padded = np.pad(upstream, ((rows - 1, rows - 1), (columns - 1, columns - 1)))\n"
        "    views = np.lib.stride_tricks.sliding_window_view(padded, window.shape)\n"
        '    return np.einsum("rsij,ij->rs", views, window[::-1, ::-1])'
    ),
}
HELPERS_TORCH = {
    "huber": "def huber(x, d):\n    return torch.where(x.abs() <= d, x * x / 2, d * (x.abs() - d / 2))",
    "argmax": (
        "def argmax(x):\n    return torch.nn.functional.one_hot(torch.argmax(x, dim=-1), x.shape[-1]).to(x.dtype)"
    ),
    "conv2d": (
        "def conv2d(image, window):\n    return torch.nn.functional.conv2d(image[None, None], window[None, None])[0, 0]"
    ),
    "conv2d_transpose": (
        "def conv2d_transpose(upstream, window):\n"
        "    return torch.nn.functional.conv_transpose2d(upstream[None, None], window[None, None])[0, 0]"
    ),
}


@dataclass(frozen=True, slots=True)
class Library:
    """A library of arrays.

    Attributes
    ----------
    name, header : ``np`` and the import line
    array : the type that a docstring names
    calls : the function of numbers or arrays -> a template with {0}, {1}, ...
    axis : the keyword for an axis
    helpers : functions that have to be defined
    """

    name: str
    header: str
    array: str
    axis: str
    calls: Mapping[str, str]
    helpers: Mapping[str, str]


_SHARED = ("exp", "log", "log1p", "tanh", "abs", "sqrt", "sin", "cos", "sign")
NUMPY = Library(
    name="np",
    header="import numpy as np",
    array="np.ndarray",
    axis="axis",
    calls={
        **{name: f"np.{name}({{0}})" for name in _SHARED},
        "sigmoid": "sigmoid({0})",
        "softplus": "np.logaddexp(0, {0})",
        "relu": "np.maximum({0}, 0)",
        "erf": "erf({0})",
        "step": "np.heaviside({0}, 0.0)",
        "huber": "huber({0}, {1})",
        "clip": "np.clip({0}, {1}, {2})",
        "maximum": "np.maximum({0}, {1})",
        "minimum": "np.minimum({0}, {1})",
        "softmax": "softmax({0})",
        "logsumexp": "logsumexp({0})",
        "argmax": "argmax({0})",
        "max": "({0}).max(axis=-1)",
        "inv": "np.linalg.inv({0})",
        "det": "np.linalg.det({0})",
        "logdet": "np.linalg.slogdet({0})[1]",
        "tr": "np.trace({0}, axis1=-2, axis2=-1)",
        "outer": "np.outer({0}, {1})",
        "cumsum": "np.cumsum({0}, axis=-1)",
        "conv2d": "conv2d({0}, {1})",
        "conv2d_transpose": "conv2d_transpose({0}, {1})",
        "ones": "np.ones({0})",
        "eye": "np.eye({0})",
        "tri": "np.tri({0})",
        "range": "np.arange({0})",
        "where": "np.where({0}, {1}, 0)",
        "broadcast": "np.broadcast_to({0}, {1})",
        "lifted": "{0}",
    },
    helpers=HELPERS_NUMPY,
)
TORCH = Library(
    name="torch",
    header="import torch",
    array="torch.Tensor",
    axis="dim",
    calls={
        **{name: f"torch.{name}({{0}})" for name in _SHARED},
        "sigmoid": "torch.sigmoid({0})",
        "softplus": "torch.nn.functional.softplus({0})",
        "relu": "torch.relu({0})",
        "erf": "torch.erf({0})",
        "step": "(({0}) > 0).to(dtype)",
        "huber": "huber({0}, {1})",
        "clip": "({0}).clamp(min={1}).clamp(max={2})",
        "maximum": "torch.maximum({0}, {1})",
        "minimum": "torch.minimum({0}, {1})",
        "softmax": "torch.softmax({0}, dim=-1)",
        "logsumexp": "torch.logsumexp({0}, dim=-1)",
        "argmax": "argmax({0})",
        "max": "({0}).amax(dim=-1)",
        "inv": "torch.linalg.inv({0})",
        "det": "torch.linalg.det({0})",
        "logdet": "torch.linalg.slogdet({0})[1]",
        "tr": "({0}).diagonal(dim1=-2, dim2=-1).sum(-1)",
        "outer": "torch.outer({0}, {1})",
        "cumsum": "torch.cumsum({0}, dim=-1)",
        "conv2d": "conv2d({0}, {1})",
        "conv2d_transpose": "conv2d_transpose({0}, {1})",
        "ones": "torch.ones({0}, dtype=dtype, device=device)",
        "eye": "torch.eye({0}, dtype=dtype, device=device)",
        "tri": "torch.ones({0}, {0}, dtype=dtype, device=device).tril()",
        "range": "torch.arange({0}, device=device)",
        "where": "torch.where({0}, {1}, 0)",
        "broadcast": "({0}).expand({1})",
        "lifted": "torch.as_tensor({0}, dtype=dtype, device=device)",
    },
    helpers=HELPERS_TORCH,
)
