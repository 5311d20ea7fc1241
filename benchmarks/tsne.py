"""t-SNE: gradus beside openTSNE, scikit-learn-intelex and umap-learn on MNIST, CIFAR-10 and the digits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numba
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from benchmarks.data import CIFAR, MNIST, SHARED, cifar
from benchmarks.measure import Findings, Table, Target
from gradus.kernels.threads import threads
from gradus.tsne import Searchable, metric_named

JUDGE = SHARED / "tools" / "embedding_quality.py"
COLUMNS = ("what", "seconds", "times ours", "exact KL", "recall@10", "spearman", "its own KL")
MANY = ("gradus", "gradus, n_neighbors=15", "openTSNE", "scikit-learn-intelex", "umap-learn")
FEW = ("gradus", "gradus, n_neighbors=15", "openTSNE", "scikit-learn", "scikit-learn-intelex", "umap-learn")
PACKAGES = ("numpy", "numba", "torch", "scikit-learn", "openTSNE", "scikit-learn-intelex", "umap-learn")


PARTS = ("digits", "MNIST", "CIFAR-10", "neighbours")


def run(part: str = "") -> Findings:
    """Time and judge every map that the data at hand allow, or what one of ``PARTS`` names."""
    if part and part not in PARTS:
        raise SystemExit(f"there is no part {part!r} of this benchmark; there are {', '.join(PARTS)}")
    tables, targets = digits() if part in ("", "digits") else ([], [])
    conditions = [
        f"numba with {numba.get_num_threads()} threads; peers with all processors.",
        "Each map is made in a process of its own, after a smaller one that is not counted where functions are "
        "compiled when first called; the programs of a table get the same array, one after the other.",
        "Pixels / 255 and 50 principal components for MNIST and CIFAR-10; defaults of every program (umap-learn makes "
        "another kind of map: its KL is only told for completeness).",
        "Exact KL, recall and rank correlation by ../shared/tools/embedding_quality.py.",
    ]
    for name, path, load in (("MNIST, 70,000 x 50", MNIST, mnist), ("CIFAR-10, 50,000 x 50", CIFAR, cifar_pixels)):
        if part and not name.startswith(part):
            continue
        if not (path.exists() and JUDGE.exists()):
            conditions.append(f"{name} was left out: {path.name} or the judge is not in ../shared.")
            continue
        found, promised = compare(name, components(load()), MANY)
        tables += found
        targets += promised
    if part in ("", "neighbours") and MNIST.exists():
        table, promised = neighbours(mnist())
        tables.append(table)
        targets += promised
    return Findings(title="t-SNE", conditions=conditions, tables=tables, targets=targets, packages=PACKAGES)


def digits() -> tuple[list[Table], list[Target]]:
    """Compare whole fits on 1,797 x 64, perplexity 30."""
    found, judged = maps_of(load_digits().data, FEW)
    ours = found["gradus"]["seconds"]
    theirs = found["scikit-learn"]["seconds"]
    return (
        [_table("Digits, 1,797 x 64", found, judged)],
        [_at_most("digits, seconds", 1.5, ours), _at_most("digits, share of scikit-learn's time", 1.0, ours / theirs)],
    )


def compare(name: str, data: np.ndarray, programs: tuple[str, ...]) -> tuple[list[Table], list[Target]]:
    """Return the figures of every program, where the time of ours goes, and what was promised of it."""
    found, judged = maps_of(data, programs)
    ours, theirs = found["gradus"], found["openTSNE"]
    pace = ours["iterations, ms"]
    rest = ours["seconds"] - ours["nearest neighbours"] - ours["t-SNE"]
    more = first_call(data) - ours["seconds"]
    parts = [
        ["the first call of a fresh installation, seconds more", more],
        ["neighbours, seconds", ours["nearest neighbours"]],
        ["affinities and start, seconds", rest],
        ["descent, seconds", ours["t-SNE"]],
        *[[f"iterations {50 * i + 1} to {50 * i + 50}, ms each", value] for i, value in enumerate(pace)],
    ]
    limit = min(18.0, theirs["seconds"] / 6)
    promised = [
        _at_most(f"{name}: a first call, seconds more", 40.0, more),
        _at_most(f"{name}: seconds (18, or a sixth of openTSNE's)", limit, ours["seconds"]),
        _at_most(f"{name}: share of umap-learn's time", 1.0, ours["seconds"] / found["umap-learn"]["seconds"]),
        _at_most(f"{name}: n_neighbors=15, share of the time", 0.5, _seconds_15(found) / ours["seconds"]),
        _at_most(f"{name}: a late iteration, ms", 30.0, pace[-1]),
        _at_most(f"{name}: last iterations over first", 1.5, pace[-1] / pace[0]),
    ]
    if judged:
        divergences = judged["gradus"][0], judged["openTSNE"][0]
        promised.append(_at_most(f"{name}: exact KL, openTSNE's", divergences[1], divergences[0]))
    tables = [_table(name, found, judged), Table(f"Where the time goes, {name}", ("what", "figure"), parts)]
    return tables, promised


def first_call(data: np.ndarray) -> float:
    """Return the seconds of a map by a process that finds no function compiled."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "data.npy", Path(folder) / "map.npy"
        np.save(source, data)
        return float(_drawn("gradus, first call", source, target, cache=Path(folder) / "compiled")["seconds"])


def neighbours(pixels: np.ndarray) -> tuple[Table, list[Target]]:
    """Time the search of 90 neighbours in 50 components and in raw pixels, and its recall."""
    rows, promised = [], []
    for name, data, limit in (
        ("70,000 x 50", components(pixels), 5.0),
        ("70,000 x 784", pixels, 15.0),
    ):
        with threads(None):
            searchable = Searchable.of(torch.from_numpy(data), metric_named("euclidean"))
            Searchable.of(torch.from_numpy(data[:WARM]), metric_named("euclidean")).others(90)
            start = time.perf_counter()
            found = searchable.others(90).indices.numpy()
            seconds = time.perf_counter() - start
        recall = _recall(data, found)
        rows.append([name, seconds, recall])
        promised += [
            _at_most(f"neighbours of {name}, seconds", limit, seconds),
            _at_most(f"neighbours of {name}, share missed", 0.01, 1 - recall),
        ]
    return Table("Neighbours, k = 90", ("data", "seconds", "recall of 1,000 rows"), rows), promised


WARM = 12_000


def maps_of(data: np.ndarray, programs: tuple[str, ...]) -> tuple[dict[str, dict[str, Any]], dict[str, list[float]]]:
    """Return what every program told of its map of ``data``, and the judge's figures where there is a judge."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "data.npy"
        np.save(source, data)
        targets = {name: Path(folder) / f"{index}.npy" for index, name in enumerate(programs)}
        found = {name: _drawn(name, source, target) for name, target in targets.items()}
        judged = _judge(source, targets) if JUDGE.exists() else {}
    return found, judged


def _drawn(program: str, source: Path, target: Path, cache: Path | None = None) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.tsne_worker", program, str(source), str(target)]
    environment = os.environ if cache is None else {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    figures: dict[str, Any] = json.loads(told.splitlines()[-1])
    return figures


def _judge(source: Path, targets: dict[str, Path]) -> dict[str, list[float]]:
    command = [sys.executable, str(JUDGE), str(source), *map(str, targets.values())]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = {line.split()[0]: line.split()[1:] for line in told.splitlines()[1:]}
    return {name: [float(figure) for figure in lines[path.name]] for name, path in targets.items()}


def _table(title: str, found: dict[str, dict[str, Any]], judged: dict[str, list[float]]) -> Table:
    ours = found["gradus"]["seconds"]
    rows = [
        [name, told["seconds"], told["seconds"] / ours, *judged.get(name, [None] * 3), told.get("divergence")]
        for name, told in found.items()
    ]
    return Table(title, COLUMNS, rows)


def _seconds_15(found: dict[str, dict[str, Any]]) -> float:
    return float(found["gradus, n_neighbors=15"]["seconds"])


def _recall(data: np.ndarray, found: np.ndarray) -> float:
    """Return the share of the true 90 nearest, by scikit-learn, that was found for 1,000 rows."""
    sample = np.arange(0, len(data), len(data) // 1000)[:1000]
    search = NearestNeighbors(n_neighbors=91, algorithm="brute").fit(data.astype(np.float64))
    expected = search.kneighbors(data[sample].astype(np.float64))[1]
    pairs = zip(sample, expected, found[sample], strict=True)
    return float(np.mean([len(np.intersect1d(true[true != row][:90], ours)) / 90 for row, true, ours in pairs]))


def mnist() -> np.ndarray:
    """Return all images of MNIST, (70,000, 784), in [0, 1], float32."""
    with np.load(MNIST) as archive:
        images = np.concatenate([archive["x_train"], archive["x_test"]])
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def cifar_pixels() -> np.ndarray:
    """Return the training images of CIFAR-10, (50,000, 3,072), in [0, 1], float32."""
    pixels = cifar()
    if pixels is None:
        raise FileNotFoundError(CIFAR)
    return np.asarray(pixels.X)


def components(pixels: np.ndarray) -> np.ndarray:
    """Return the first 50 principal components of the pixels, float32."""
    centred = pixels - pixels.mean(0, dtype=np.float64).astype(np.float32)
    loadings = np.linalg.eigh((centred.T @ centred).astype(np.float64))[1][:, ::-1][:, :50]
    return np.asarray(centred @ loadings.astype(np.float32))


def _at_most(what: str, promised: float, measured: float) -> Target:
    return Target(f"{what}, at most {promised:.3g}", measured, measured <= promised)
