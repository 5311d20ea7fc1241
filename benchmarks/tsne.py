"""t-SNE: gradus beside openTSNE on MNIST, and beside both openTSNE and scikit-learn on the digits."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numba
import numpy as np
import openTSNE
import torch
from sklearn import manifold
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from benchmarks.measure import Findings, Table, Target, alternate, median
from gradus.core.progress import Task, reporting
from gradus.estimators import TSNE
from gradus.tsne import Searchable, metric_named

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SHARED = Path(__file__).parents[1] / ".." / "shared"
MNIST = SHARED / "data" / "mnist.npz"
JUDGE = SHARED / "tools" / "embedding_quality.py"
REPEATS = 3
LONGEST, LARGEST_DIVERGENCE, DIGITS_LONGEST = 150.0, 2.85, 5.0


@dataclass
class Watch:
    """A progress reporter and a callback that note when things happen."""

    begun: float = field(default_factory=time.perf_counter)
    seconds: dict[str, float] = field(default_factory=dict)
    marks: list[float] = field(default_factory=list)
    name: str = ""

    def open(self, description: str, total: float | None) -> Task:
        self.name, self.seconds[description] = description, -time.perf_counter()
        return self

    def close(self, task: Task) -> None:
        self.seconds[self.name] += time.perf_counter()

    def advance(self, amount: float = 1.0, note: str = "") -> None:
        self.marks.append(time.perf_counter())

    def iteration(self, position: int) -> float:
        """Return the milliseconds of one iteration among the 50 that end at this mark."""
        return (self.marks[position] - self.marks[position - 1]) / 50 * 1e3


def run() -> Findings:
    """Time and judge every map that the data at hand allow."""
    tables, targets, conditions = digits()
    if MNIST.exists() and JUDGE.exists():
        more_tables, more_targets, more_conditions = mnist()
        tables, targets, conditions = tables + more_tables, targets + more_targets, conditions + more_conditions
    else:
        conditions.append("MNIST was left out: ../shared/data/mnist.npz or ../shared/tools is not there.")
    return Findings(
        title="t-SNE",
        conditions=[f"numba with {numba.get_num_threads()} threads; peers with all processors.", *conditions],
        tables=tables,
        targets=targets,
        packages=("numpy", "numba", "torch", "scipy", "scikit-learn", "openTSNE"),
    )


def digits() -> tuple[list[Table], list[Target], list[str]]:
    """Compare whole fits on 1,797 x 64, perplexity 30."""
    data = load_digits().data
    divergences: dict[str, float] = {}

    def with_gradus() -> None:
        divergences["gradus"] = TSNE().fit(data).kl_divergence_

    def with_opentsne() -> None:
        divergences["openTSNE"] = float(openTSNE.TSNE(n_jobs=-1, random_state=0).fit(data).kl_divergence)

    def with_scikit_learn() -> None:
        divergences["scikit-learn"] = manifold.TSNE(n_jobs=-1, random_state=0).fit(data).kl_divergence_

    calls: dict[str, Callable[[], object]] = {
        "gradus": with_gradus,
        "openTSNE": with_opentsne,
        "scikit-learn": with_scikit_learn,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seconds = {name: median(taken) for name, taken in alternate(calls, REPEATS).items()}
    rows = [[name, taken, taken / seconds["gradus"], divergences[name]] for name, taken in seconds.items()]
    return (
        [Table("Digits, 1,797 x 64", ("what", "seconds", "times ours", "its own KL"), rows)],
        [_at_most("digits, seconds", DIGITS_LONGEST, seconds["gradus"])],
        [
            f"Digits: medians of {REPEATS} fits in turns after one of each that is not counted; scikit-learn runs "
            "1,000 iterations, the others 750."
        ],
    )


def mnist() -> tuple[list[Table], list[Target], list[str]]:
    """Compare whole fits on 70,000 x 50, perplexity 30, judged exactly."""
    data = _mnist_components()
    TSNE(n_neighbors=2, max_iter=2).fit(data[:12_000])  # kernels loaded
    watches, times, maps = [], [], {}
    for _ in range(2):
        watch = Watch()
        with reporting(watch):
            tsne = TSNE().fit(data)
        times.append(time.perf_counter() - watch.begun)
        watches.append(watch)
    maps["gradus"] = tsne.embedding_
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        maps["openTSNE"] = np.asarray(openTSNE.TSNE(n_jobs=-1, random_state=0).fit(data))
    peer = time.perf_counter() - start
    judged = _judge(data, maps)
    best = int(np.argmin(times))
    rows = [
        ["gradus", times[best], 1.0, *judged["gradus"]],
        ["openTSNE", peer, peer / times[best], *judged["openTSNE"]],
    ]
    return (
        [
            Table("MNIST, 70,000 x 50", ("what", "seconds", "times ours", "exact KL", "recall@10", "spearman"), rows),
            Table("Where the time goes (gradus)", ("what", "figure"), _parts(watches[best], times[best], data)),
        ],
        [
            _at_most("MNIST 70,000 x 50, seconds", LONGEST, times[best]),
            _at_most("MNIST 70,000 x 50, exact KL", LARGEST_DIVERGENCE, float(judged["gradus"][0])),
        ],
        [
            "MNIST: pixels / 255, 50 principal components; 750 iterations; the quicker of two fits of gradus, one fit "
            "of openTSNE.",
            "Quality of every map by ../shared/tools/embedding_quality.py: exact affinities, exact normaliser.",
        ],
    )


def _parts(watch: Watch, total: float, data: np.ndarray) -> list[Sequence[object]]:
    neighbours, descent = watch.seconds["nearest neighbours"], watch.seconds["t-SNE"]
    return [
        ["neighbours, seconds", neighbours],
        ["their recall (1,000 rows, k = 90)", _recall(data)],
        ["affinities and start, seconds", total - neighbours - descent],
        ["descent, seconds", descent],
        ["iterations 51 to 100, ms each", watch.iteration(1)],
        ["iterations 301 to 350, ms each", watch.iteration(6)],
        ["iterations 701 to 750, ms each", watch.iteration(14)],
    ]


def _recall(data: np.ndarray) -> float:
    """Return the share of the true 90 nearest, by scikit-learn, that our search finds for 1,000 rows."""
    searchable = Searchable.of(torch.from_numpy(data), metric_named("euclidean"))
    found = searchable.among(torch.from_numpy(data[:1000]), 90).indices.numpy()
    wide = data.astype(np.float64)
    expected = NearestNeighbors(n_neighbors=90, algorithm="brute").fit(wide).kneighbors(wide[:1000])[1]
    return float(np.mean([len(np.intersect1d(*pair)) / 90 for pair in zip(found, expected, strict=True)]))


def _judge(data: np.ndarray, maps: dict[str, np.ndarray]) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.npy" for name in ("data", *maps)}
        for name, values in {"data": data, **maps}.items():
            np.save(paths[name], values)
        command = [sys.executable, str(JUDGE), *map(str, paths.values())]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = {line.split()[0]: line.split()[1:] for line in told.splitlines()[1:]}
    return {name: [float(figure) for figure in lines[f"{name}.npy"]] for name in maps}


def _mnist_components() -> np.ndarray:
    with np.load(MNIST) as archive:
        images = np.concatenate([archive["x_train"], archive["x_test"]]).reshape(70_000, -1)
    pixels = images.astype(np.float64) / 255
    centred = pixels - pixels.mean(0)
    loadings = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :50]
    return (centred @ loadings).astype(np.float32)


def _at_most(what: str, promised: float, measured: float) -> Target:
    return Target(f"{what}, at most {promised:g}", measured, measured <= promised)
