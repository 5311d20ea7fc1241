"""t-SNE of a million rows: a mixture of clusters in 50 dimensions, in seconds and in memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numba
import numpy as np

from benchmarks.measure import Findings, Table, Target

ROWS, FEATURES, CLUSTERS = 1_000_000, 50, 200
LONGEST, MOST_GIGABYTES = 360.0, 8.0


def run() -> Findings:
    """Map a million rows in a process of its own, and tell its time and the most memory it held."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "data.npy", Path(folder) / "map.npy"
        np.save(source, mixture(ROWS))
        command = [sys.executable, "-m", "benchmarks.tsne_worker", "gradus", str(source), str(target)]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    gigabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    pace = told["iterations, ms"]
    rows = [
        ["seconds", told["seconds"]],
        ["of which neighbours", told["nearest neighbours"]],
        ["of which descent", told["t-SNE"]],
        ["iterations 1 to 50, ms each", pace[0]],
        ["last 50 iterations, ms each", pace[-1]],
        ["KL", told["divergence"]],
        ["most memory held, GB", gigabytes],
    ]
    return Findings(
        title="t-SNE of a million rows",
        conditions=[
            f"{CLUSTERS} Gaussian clusters of unequal size and width in {FEATURES} dimensions, each on a plane of 8 "
            "dimensions of its own and noise; perplexity 30.",
            f"numba with {numba.get_num_threads()} threads, after a smaller map that is not counted.",
        ],
        tables=[Table("1,000,000 x 50", ("what", "figure"), rows)],
        targets=[
            Target(f"seconds, at most {LONGEST:g}", told["seconds"], told["seconds"] <= LONGEST),
            Target(f"memory in GB, at most {MOST_GIGABYTES:g}", gigabytes, gigabytes <= MOST_GIGABYTES),
        ],
        packages=("numpy", "numba", "torch", "scipy"),
    )


def mixture(rows: int) -> np.ndarray:
    """Return clusters with structure of their own, (rows, 50), float32."""
    generator = np.random.default_rng(0)
    shares = generator.dirichlet(np.ones(CLUSTERS))
    owner = generator.choice(CLUSTERS, rows, p=shares)
    centres = generator.normal(size=(CLUSTERS, FEATURES)) * 4
    planes = generator.normal(size=(CLUSTERS, 8, FEATURES)) * generator.uniform(0.3, 1.0, (CLUSTERS, 1, 1))
    data = np.empty((rows, FEATURES), np.float32)
    for cluster in range(CLUSTERS):
        mine = np.flatnonzero(owner == cluster)
        inside = generator.normal(size=(len(mine), 8)) @ planes[cluster]
        data[mine] = centres[cluster] + inside + 0.1 * generator.normal(size=inside.shape)
    return data
