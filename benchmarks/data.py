"""The data that benchmarks share."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARED = Path(__file__).parents[1] / ".." / "shared"
MNIST = SHARED / "data" / "mnist.npz"
CIFAR = SHARED / "data" / "cifar10-train.parquet"


class Pixels(NamedTuple):
    """Rows of pixels in [0, 1], float32, and their classes."""

    name: str
    X: NDArray[np.float32]
    y: NDArray[np.int64]


def mnist_or_digits() -> Pixels:
    """Return MNIST's training rows where they are at hand, else the digits."""
    if not MNIST.exists():
        X, y = load_digits(return_X_y=True)
        return Pixels("digits", (X / 16).astype(np.float32), y)
    with np.load(MNIST) as arrays:
        X, y = arrays["x_train"], arrays["y_train"]
    return Pixels("MNIST", X.reshape(len(X), -1).astype(np.float32) / np.float32(255), y.astype(np.int64))


def cifar() -> Pixels | None:
    """Return CIFAR-10's training images as pixels, or None where they are not at hand."""
    if not CIFAR.exists():
        return None
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(CIFAR)
    images = [np.asarray(Image.open(io.BytesIO(image["bytes"])), np.uint8) for image in table["image"].to_pylist()]
    X = np.stack(images).reshape(len(images), -1).astype(np.float32) / np.float32(255)
    return Pixels("CIFAR-10", X, table["label"].to_numpy().astype(np.int64))
