"""A network of MNIST with half of its channels gone, beside the whole one: what it loses, and how much faster it is."""

from __future__ import annotations

import statistics
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import nn

from benchmarks.convnet import mnist_images
from benchmarks.data import MNIST
from benchmarks.measure import Findings, Table, Target, alternate, median
from gradus import ConvNetClassifier
from gradus.estimators.convnet_training import outputs
from gradus.penalties import RowsAtMost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.convnet import Images

SEEDS, PASSES, SHARE = range(3), 4, 0.5
# images at a time, how often they are given in one turn, and how many turns each network has
BATCHES = {1: (20, 30), 1000: (1, 15)}
WHOLE, SPARSE, NARROW = "whole", "half of the channels", "half as wide from the start"


class Kind(NamedTuple):
    """Networks of one kind, a seed each, and what they are: shares of the test images right, and sizes."""

    models: list[ConvNetClassifier]
    right: list[float]
    channels: list[int]
    parameters: int
    kilobytes: float


def run() -> Findings:
    """Train the networks of every seed, and time the first of each kind in turns."""
    if not MNIST.exists():
        raise SystemExit("sparse_network needs ../shared/data/mnist.npz")
    images = mnist_images()
    settings: dict[str, dict[str, Any]] = {
        WHOLE: {},
        SPARSE: {"penalty": RowsAtMost(SHARE)},
        NARROW: {"widths": (32, 64)},
    }
    models = {name: [_trained(images, seed, its) for seed in SEEDS] for name, its in settings.items()}
    pruned = [model.pruned() for model in models[SPARSE]]
    _assert_equal(models[SPARSE], pruned, images)
    kinds = {
        name: _kind(some, images) for name, some in ((WHOLE, models[WHOLE]), (SPARSE, pruned), (NARROW, models[NARROW]))
    }
    return _findings(kinds, _timed({name: kind.models[0].network_ for name, kind in kinds.items()}, images))


def _trained(images: Images, seed: int, settings: dict[str, Any]) -> ConvNetClassifier:
    return ConvNetClassifier(epochs=PASSES, random_state=seed, **settings).fit(images.x_train, images.y_train)


def _assert_equal(wholes: Sequence[ConvNetClassifier], pruned: Sequence[ConvNetClassifier], images: Images) -> None:
    """Hold the outputs of pruned networks against those of the networks that they were made of."""
    for whole, smaller in zip(wholes, pruned, strict=True):
        before, after = (model.decision_function(images.x_test) for model in (whole, smaller))
        np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-3)


def _kind(models: list[ConvNetClassifier], images: Images) -> Kind:
    network = models[0].network_
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        models[0].save(path)
        size = path.stat().st_size / 1000
    return Kind(
        models,
        [float(model.score(images.x_test, images.y_test)) for model in models],
        [layer.out_channels for layer in layers[1:]],
        sum(parameter.numel() for parameter in network.parameters()),
        size,
    )


def _timed(networks: dict[str, nn.Module], images: Images) -> list[tuple[int, int, dict[str, float]]]:
    """Return for each number of threads and images the median milliseconds of each network, taken in turns."""
    pixels = torch.from_numpy(images.x_test[:1000, :, :, None])
    found = []
    threads = torch.get_num_threads()
    for used in (1, 2):
        torch.set_num_threads(used)
        for rows, (times, turns) in BATCHES.items():
            parts = [pixels[start : start + rows] for start in range(0, rows * times, rows)]
            seconds = alternate({name: partial(_predicted, each, parts) for name, each in networks.items()}, turns)
            found.append((used, rows, {name: median(each) * 1e3 / times for name, each in seconds.items()}))
    torch.set_num_threads(threads)
    return found


def _predicted(network: nn.Module, parts: Sequence[torch.Tensor]) -> None:
    for part in parts:
        outputs(network, part, torch.device("cpu"))


def _findings(kinds: dict[str, Kind], times: list[tuple[int, int, dict[str, float]]]) -> Findings:
    whole, sparse = kinds[WHOLE], kinds[SPARSE]
    lost = 100 * (statistics.mean(whole.right) - statistics.mean(sparse.right))
    gone = 1 - sum(sparse.channels) / sum(whole.channels)
    return Findings(
        title="A network of MNIST with half of its channels gone",
        conditions=[
            f"ConvNetClassifier(epochs={PASSES}), all 60,000 training images, judged on the 10,000 test images, seeds "
            f"{SEEDS.start} to {SEEDS.stop - 1}; {SPARSE}: with penalty=RowsAtMost({SHARE}), then pruned()",
            f"{NARROW}: widths=(32, 64), trained as the whole one; nothing is pruned and no norm folded",
            "the pruned networks' logits of all test images are those of the networks before, to 1e-3",
            "milliseconds: medians, the three networks in turns, float32, run as predict does once X is checked: a "
            "thousand images 512 at a time, one image on one thread whatever there are; "
            + ", ".join(f"{turns} turns of {times} x {rows:,} images" for rows, (times, turns) in BATCHES.items()),
        ],
        tables=[
            Table(
                "Networks",
                ("network", "right", "lowest", "channels of the layers", "parameters", "file, kB"),
                [
                    (name, statistics.mean(kind.right), min(kind.right), str(kind.channels), *kind[3:])
                    for name, kind in kinds.items()
                ],
            ),
            Table(
                "Inference",
                ("threads", "images", *(f"{name}, ms" for name in kinds), "times faster"),
                [(*where, *found.values(), found[WHOLE] / found[SPARSE]) for *where, found in times],
            ),
        ],
        targets=[
            Target("half of the channels gone: share", gone, gone >= 0.5),
            Target("at most 0.1 points lost", lost, lost <= 0.1),
            *(
                Target(f"1.5 times faster, {rows:,} images, {used} threads", ratio, ratio >= 1.5)
                for used, rows, found in times
                for ratio in [found[WHOLE] / found[SPARSE]]
            ),
        ],
        packages=("torch", "numpy"),
    )
