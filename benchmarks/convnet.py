"""``ConvNetClassifier`` on MNIST and CIFAR-10: how well, in how many seconds, on this machine's cores."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from benchmarks.data import CIFAR, MNIST, cifar
from benchmarks.measure import Findings, Table, Target
from gradus import ConvNetClassifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# seeds on MNIST, and images of CIFAR-10's training rows that are held out, since its test rows are not at hand
SEEDS, HELD_OUT = range(5), 5000
MNIST_PASSES, CIFAR_PASSES = 2, 6


class Images(NamedTuple):
    """Images to learn from and images to be judged by, uint8."""

    x_train: NDArray[np.uint8]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.int64]


class Training(NamedTuple):
    """What one training came to: seconds of ``fit``, and the share of test images that it gets right."""

    data: str
    epochs: int
    seed: int
    seconds: float
    accuracy: float


def run() -> Findings:
    """Train on MNIST with five seeds, and on CIFAR-10 once."""
    if not (MNIST.exists() and CIFAR.exists()):
        raise SystemExit("convnet needs ../shared/data/mnist.npz and cifar10-train.parquet")
    digits = mnist_images()
    warm_up(digits)
    grey = [trained("MNIST", digits, seed, {"epochs": MNIST_PASSES}) for seed in SEEDS]
    return findings(grey, trained("CIFAR-10", cifar_images(), 0, {"epochs": CIFAR_PASSES, "flip": True}))


def mnist_images() -> Images:
    """Return MNIST's 60,000 training and 10,000 test images."""
    with np.load(MNIST) as arrays:
        return Images(*(arrays[name] for name in ("x_train", "y_train", "x_test", "y_test")))


def cifar_images() -> Images:
    """Return CIFAR-10's training images, 5,000 of them, drawn at random, to be judged by."""
    pixels = cifar()
    assert pixels is not None
    images = np.rint(pixels.X * 255).astype(np.uint8).reshape(-1, 32, 32, 3)
    order = np.random.default_rng(0).permutation(len(images))
    test, train = order[:HELD_OUT], order[HELD_OUT:]
    return Images(images[train], pixels.y[train], images[test], pixels.y[test])


def warm_up(images: Images) -> None:
    """Let torch choose and compile its kernels once."""
    ConvNetClassifier(epochs=1, random_state=0).fit(images.x_train[::30], images.y_train[::30])


def trained(name: str, images: Images, seed: int, options: dict[str, Any]) -> Training:
    """Return the seconds and the accuracy of one training."""
    model = ConvNetClassifier(random_state=seed, **options)
    start = time.perf_counter()
    model.fit(images.x_train, images.y_train)
    seconds = time.perf_counter() - start
    return Training(name, model.n_iter_, seed, seconds, float(model.score(images.x_test, images.y_test)))


def findings(grey: Sequence[Training], colour: Training) -> Findings:
    """Return what was found as a page."""
    all_of_them = [*grey, colour]
    promises = [
        _target("MNIST, 99.0 % right (mean of 5 seeds) in at most 30 s", grey, 0.990, 30),
        _target("MNIST, 99.4 % right (mean of 5 seeds) in at most 120 s", grey, 0.994, 120),
        _target("CIFAR-10, 80 % right in at most 240 s", [colour], 0.80, 240),
    ]
    return Findings(
        title="ConvNetClassifier on MNIST and CIFAR-10",
        conditions=[
            "every option at its default but the passes, and flip=True for CIFAR-10; nothing is averaged at test time",
            "MNIST: all 60,000 training images, judged on the 10,000 test images; CIFAR-10: 45,000 of the training"
            " images, judged on the other 5,000",
            "seconds are those of fit, from arrays in memory: whitening, augmentation and training",
            f"{torch.get_num_threads()} threads; convolutions in bfloat16, predictions in float32",
        ],
        tables=[
            Table(
                "Means",
                ("data", "passes", "seeds", "right", "lowest", "seconds", "most"),
                [_mean(grey), _mean([colour])],
            ),
            Table("Each training", Training._fields, all_of_them),
        ],
        targets=[target for pair in promises for target in pair],
        packages=("torch", "numpy", "scikit-learn"),
    )


def _mean(trainings: Sequence[Training]) -> tuple[Any, ...]:
    right = [each.accuracy for each in trainings]
    seconds = [each.seconds for each in trainings]
    first = trainings[0]
    return (
        first.data,
        first.epochs,
        len(trainings),
        statistics.mean(right),
        min(right),
        statistics.mean(seconds),
        max(seconds),
    )


def _target(promise: str, trainings: Sequence[Training], right: float, seconds: float) -> tuple[Target, Target]:
    share, slowest = statistics.mean(each.accuracy for each in trainings), max(each.seconds for each in trainings)
    return (
        Target(f"{promise}: share right", share, share >= right),
        Target(f"{promise}: seconds of the slowest", round(slowest, 1), slowest <= seconds),
    )
