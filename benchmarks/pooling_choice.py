"""Which pooling a small network for images learns best with: each layer in place of its own, everything else alike."""

from __future__ import annotations

import math
import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from scipy import stats
from torch import nn

from benchmarks.convnet import cifar_images
from benchmarks.data import CIFAR
from benchmarks.measure import Findings, Table
from gradus import ConvNetClassifier, layers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.convnet import Images

SEEDS, PASSES, LEARNED_IMAGES = range(4), 5, 3000
WIDTHS = (24, 48, 48)
# what every other layer is compared with: the network's own
USUAL = "max 2x2"
POOLS: dict[str, nn.Module] = {
    USUAL: layers.MaxPool2d(2),
    "max 3x3": layers.MaxPool2d(3, stride=2, padding=1),
    "max, then blur 3x3": layers.MaxBlurPool2d(2),
    "fractional max": layers.FractionalMaxPool2d(2, output_ratio=0.5),
    "min": layers.MinPool2d(2),
    "average": layers.AvgPool2d(2),
    "blur 3x3": layers.BlurPool2d(3),
    "sum": layers.SumPool2d(2),
    "L2": layers.LpPool2d(2.0, 2),
    "log-sum-exp, sharpness 1": layers.LogSumExpPool2d(2),
    "log-sum-exp, sharpness 5": layers.LogSumExpPool2d(2, sharpness=5.0),
    "SoftPool": layers.SoftPool2d(2),
    "mixed, learned": layers.MixedPool2d(2),
    "gated, learned": layers.GatedPool2d(2),
    "rank, learned": layers.RankPool2d(2),
    "median": layers.MedianPool2d(2),
    "ReLU, then GeM, learned": nn.Sequential(nn.ReLU(), layers.GeMPool2d(2)),
    "ReLU, then stochastic": nn.Sequential(nn.ReLU(), layers.StochasticPool2d(2)),
    "ReLU, then average": nn.Sequential(nn.ReLU(), layers.AvgPool2d(2)),
}


class Trained(NamedTuple):
    """Share of the held-out images that each seed's network has right, and the seconds of a pass."""

    right: list[float]
    seconds: float


def run() -> Findings:
    """Train the network with each layer and each seed."""
    if not CIFAR.exists():
        raise SystemExit("pooling_choice needs ../shared/data/cifar10-train.parquet")
    images = cifar_images()
    some = images._replace(x_train=images.x_train[:LEARNED_IMAGES], y_train=images.y_train[:LEARNED_IMAGES])
    # seeds outside, so that the machine's slower and faster moments meet every layer alike
    found = {name: Trained([], math.inf) for name in POOLS}
    for seed in SEEDS:
        for name, pooling in POOLS.items():
            right, seconds = _trained(pooling, some, seed)
            found[name] = Trained([*found[name].right, right], min(found[name].seconds, seconds))
    return _findings(found, len(images.y_test))


def _findings(found: dict[str, Trained], judged: int) -> Findings:
    usual = found[USUAL]
    order = sorted(found, key=lambda name: -statistics.mean(found[name].right))
    return Findings(
        title="Which pooling a small network learns best with",
        conditions=[
            f"CIFAR-10: {LEARNED_IMAGES:,} training images, judged on {judged:,} other training images",
            f"ConvNetClassifier(widths={WIDTHS}, epochs={PASSES}, flip=True, pooling=...), the default otherwise: two "
            "or three layers of pooling, each between a convolution and its norm",
            f"means over seeds {SEEDS.start} to {SEEDS.stop - 1}, the same weights and batches for every layer; "
            "spread: standard deviation over the seeds",
            f"difference: from {USUAL}, seed by seed, with its 95 % interval by Student's t; 'yes' where zero is "
            f"outside after Holm's correction for {len(POOLS) - 1} comparisons",
            f"seconds a pass: the fastest seed's, {torch.get_num_threads()} threads",
        ],
        tables=[
            Table(
                "Held-out images right",
                ("pooling", "right", "spread", "difference", "95 %", "differs", "seconds a pass"),
                _rows(found, order, usual),
            )
        ],
        packages=("torch", "numpy"),
    )


def _trained(pooling: nn.Module, images: Images, seed: int) -> tuple[float, float]:
    """Return the share of test images right after a training, and its seconds a pass."""
    model = ConvNetClassifier(WIDTHS, PASSES, pooling=pooling, flip=True, random_state=seed)
    start = time.perf_counter()
    model.fit(images.x_train, images.y_train)
    seconds = (time.perf_counter() - start) / PASSES
    return float(model.score(images.x_test, images.y_test)), seconds


def _rows(found: dict[str, Trained], order: Sequence[str], usual: Trained) -> list[tuple[object, ...]]:
    """Return the cells of every layer, the best first."""
    against = {name: _differences(found[name], usual) for name in order if name != USUAL}
    chances = {name: float(stats.ttest_1samp(each, 0.0).pvalue) for name, each in against.items()}
    differs = _after_holm(chances)
    rows: list[tuple[object, ...]] = []
    for name in order:
        right, seconds = found[name]
        shown: tuple[str, ...] = ("", "", "")
        if name in against:
            middle, half = _interval(against[name])
            shown = (f"{middle:+.4f}", f"{middle - half:+.4f} to {middle + half:+.4f}", differs[name])
        rows.append((name, statistics.mean(right), statistics.stdev(right), *shown, seconds))
    return rows


def _differences(one: Trained, other: Trained) -> list[float]:
    return [a - b for a, b in zip(one.right, other.right, strict=True)]


def _interval(differences: Sequence[float]) -> tuple[float, float]:
    """Return the mean and half of the length of its 95 % interval."""
    error = statistics.stdev(differences) / math.sqrt(len(differences))
    return statistics.mean(differences), float(stats.t.ppf(0.975, len(differences) - 1)) * error


def _after_holm(chances: dict[str, float]) -> dict[str, str]:
    """Return for each comparison whether it stands at 5 % beside all others.

    Holm 1979: the smallest of m values must be below 0.05 / m, the next below 0.05 / (m - 1), and so on to the first
    that is not.
    """
    names = sorted(chances, key=lambda name: chances[name])
    fails = [chances[name] > 0.05 / (len(names) - place) for place, name in enumerate(names)]
    first = int(np.argmax(fails)) if any(fails) else len(names)
    return {name: "yes" if place < first else "no" for place, name in enumerate(names)}
