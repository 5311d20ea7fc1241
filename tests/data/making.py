"""Small data sets on disk, and what a refusal must look like."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gradus.core.errors import InputError
from gradus.data import ReadOptions, read

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"


def refused(source, *words, options=None):
    """Assert that reading raises one sentence, on one line, with all of ``words`` in it; return it."""
    with pytest.raises(InputError) as caught:
        read(source, options or ReadOptions())
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert [word for word in words if word not in sentence] == [], sentence
    return sentence


def two_classes(rows=20, columns=3, seed=0):
    """Features and labels 0, 1, 0, 1, ..."""
    features = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    return features, np.arange(rows) % 2


def pixels(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, size=shape, dtype=np.uint8)


def png(array, **options):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, format="PNG", **options)
    return stream.getvalue()


def image_folder(root, classes=("cat", "dog"), each=3, shape=(6, 5)):
    """Write PNG files of noise, one folder a class; return the pixels by relative path."""
    written = {}
    for place, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for number in range(each):
            array = pixels(*shape, seed=100 * place + number)
            (root / name / f"{number}.png").write_bytes(png(array))
            written[f"{name}/{number}.png"] = array
    return written
