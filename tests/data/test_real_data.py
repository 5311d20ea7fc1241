"""The public data sets, where they are at hand, against NumPy, pandas and Pillow."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data.making import SHARED
from gradus.data import ReadOptions, fingerprint, read

MNIST = SHARED / "mnist.npz"
CIFAR = SHARED / "cifar10-train.parquet"


@pytest.mark.skipif(not MNIST.exists(), reason="MNIST is not at hand")
def test_mnist_is_what_numpy_reads():
    data = read(MNIST)
    with np.load(MNIST) as archive:
        images = np.concatenate([archive["x_train"], archive["x_test"]])
        labels = np.concatenate([archive["y_train"], archive["y_test"]])
    assert np.array_equal(data.images[..., 0], images)
    assert np.array_equal(data.labels, labels)
    assert np.array_equal(data.features, images.reshape(70_000, 784) / np.float32(255))
    assert data.is_test.tolist() == [False] * 60_000 + [True] * 10_000
    assert data.class_names == tuple("0123456789")
    assert len(fingerprint(data)) == 32


@pytest.mark.skipif(not CIFAR.exists(), reason="CIFAR-10 is not at hand")
def test_cifar_is_what_pandas_and_pillow_read():
    data = read(CIFAR, ReadOptions(sample=300))
    rows = data.row_ids.astype(int)
    frame = pd.read_parquet(CIFAR).iloc[rows]
    images = [np.asarray(Image.open(io.BytesIO(cell["bytes"]))) for cell in frame["image"]]
    assert np.array_equal(data.images, images)
    assert np.array_equal(data.labels, frame["label"])
    assert data.class_names[:3] == ("airplane", "automobile", "bird")
    assert np.bincount(data.labels).tolist() == [30] * 10
