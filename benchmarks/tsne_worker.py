"""One map of one array by one program, in a process of its own: patched libraries and thread pools do not meet.

``python -m benchmarks.tsne_worker PROGRAM DATA.npy MAP.npy`` writes the map and prints its seconds and parts as JSON.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

WARMED_ON = 12_000


@dataclass
class Watch:
    """A progress reporter that notes how long each task took, and when the descent was measured."""

    seconds: dict[str, float] = field(default_factory=dict)
    marks: list[float] = field(default_factory=list)
    name: str = ""

    def open(self, description: str, total: float | None) -> Watch:
        self.name, self.seconds[description] = description, -time.perf_counter()
        self.marks = [time.perf_counter()]
        return self

    def close(self, task: object) -> None:
        self.seconds[self.name] += time.perf_counter()

    def advance(self, amount: float = 1.0, note: str = "") -> None:
        self.marks.append(time.perf_counter())


def gradus(data: np.ndarray, parts: dict[str, Any], **parameters: Any) -> np.ndarray:
    """Map by gradus, and note the parts of the time."""
    from gradus.core.progress import reporting
    from gradus.estimators import TSNE

    watch = Watch()
    with reporting(watch):
        fitted = TSNE(**parameters).fit(data)
    parts.update(watch.seconds, divergence=fitted.kl_divergence_)
    parts["iterations, ms"] = [round(1e3 * value / 50, 2) for value in np.diff(watch.marks)]
    return np.asarray(fitted.embedding_)


def gradus_15(data: np.ndarray, parts: dict[str, Any]) -> np.ndarray:
    """Map by gradus with 15 equal neighbours."""
    return gradus(data, parts, n_neighbors=15)


def open_tsne(data: np.ndarray, parts: dict[str, Any]) -> np.ndarray:
    """Map by openTSNE."""
    import openTSNE

    fitted = openTSNE.TSNE(n_jobs=-1, random_state=0).fit(data)
    parts["divergence"] = float(fitted.kl_divergence)
    return np.asarray(fitted)


def scikit_learn(data: np.ndarray, parts: dict[str, Any]) -> np.ndarray:
    """Map by scikit-learn, as it is installed or as it is patched."""
    from sklearn.manifold import TSNE

    fitted = TSNE(n_jobs=-1, random_state=0).fit(data)
    parts["divergence"] = float(fitted.kl_divergence_)
    return np.asarray(fitted.embedding_)


def intelex(data: np.ndarray, parts: dict[str, Any]) -> np.ndarray:
    """Map by scikit-learn patched by scikit-learn-intelex."""
    from sklearnex import patch_sklearn

    patch_sklearn(verbose=False)
    return scikit_learn(data, parts)


def umap(data: np.ndarray, parts: dict[str, Any]) -> np.ndarray:
    """Map by umap-learn, which has no such divergence."""
    import umap as umap_learn

    return np.asarray(umap_learn.UMAP(n_jobs=-1).fit_transform(data))


PROGRAMS: dict[str, Callable[[np.ndarray, dict[str, Any]], np.ndarray]] = {
    "gradus": gradus,
    "gradus, first call": gradus,
    "gradus, n_neighbors=15": gradus_15,
    "openTSNE": open_tsne,
    "scikit-learn": scikit_learn,
    "scikit-learn-intelex": intelex,
    "umap-learn": umap,
}
# what is compiled when it is first called
COMPILED = ("gradus", "gradus, n_neighbors=15", "umap-learn")


def main(program: str, source: str, target: str) -> None:
    """Warm what is compiled, map the array, and write what came out."""
    warnings.simplefilter("ignore")
    data = np.load(source)
    draw = PROGRAMS[program]
    if program in COMPILED:
        draw(data[:WARMED_ON], {})
    parts: dict[str, Any] = {}
    start = time.perf_counter()
    found = draw(data, parts)
    parts["seconds"] = time.perf_counter() - start
    np.save(target, found)
    print(json.dumps(parts))


if __name__ == "__main__":
    main(*sys.argv[1:])
