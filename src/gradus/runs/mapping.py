"""The map step: t-SNE of every row, as a table and as pictures, with the figures that say how true it is."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from sklearn.decomposition import PCA

from gradus.core import progress
from gradus.core.errors import InputError
from gradus.core.files import written_whole
from gradus.estimators import TSNE
from gradus.report import Map, draw_map
from gradus.runs.directory import MAP, PICTURE, VECTORS
from gradus.runs.fitting import is_table
from gradus.runs.network import NetworkClassifier
from gradus.runs.scaling import Standardisation
from gradus.tsne import METRICS, Manhattan, MeasuredSearch, Search, Searchable, map_quality

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gradus.runs.config import MapConfig
    from gradus.runs.run import Run

_ABOUT = b"gradus map"


def draw(run: Run) -> None:
    """Embed the rows of ``run`` in two dimensions and write ``map.parquet``, ``map.png`` and ``map.svg``."""
    network, config = _network(run), run.config.map
    given = run.dataset.features if network is None else network.features(run.dataset)
    features = _features(run, given, learned=network is not None)
    neighbours = config.neighbours_for(len(features))
    perplexity = config.perplexity_for(len(features)) if neighbours is None else 30.0
    tsne = TSNE(
        perplexity=perplexity,
        n_neighbors=neighbours,
        metric=config.metric,
        dof=config.dof,
        max_iter=config.map_iterations,
        random_state=run.config.seed,
    )
    positions = tsne.fit_transform(features).astype(np.float32, copy=False)
    weighed = {"perplexity": f"{perplexity:.3g}"} if neighbours is None else {"neighbours": str(neighbours)}
    settings = {
        "method": "t-SNE",
        **weighed,
        "metric": config.metric,
        **({} if config.dof == 1 else {"degrees of freedom": f"{config.dof:g}"}),
        "input": _input(features.shape[1], given.shape[1], "dimension" if network is None else "learned feature"),
        "iterations": str(tsne.n_iter_),
    }
    drawn = Map(positions, settings, _quality(features, positions, config, tsne.kl_divergence_))
    for name in (PICTURE, VECTORS):
        draw_map(run.dataset, drawn, run.directory / name)
    _save(drawn, run.dataset.row_ids.tolist(), run.directory / MAP)


def load_map(path: Path) -> Map:
    """Return the map that ``path`` holds."""
    table = pq.read_table(path)
    positions = np.stack([table["x"].to_numpy(), table["y"].to_numpy()], axis=1)
    about = json.loads((table.schema.metadata or {}).get(_ABOUT, b"{}"))
    return Map(positions, about.get("settings", {}), about.get("quality", {}))


def _save(drawn: Map, row_ids: list[str], path: Path) -> None:
    table = pa.table({"row_id": row_ids, "x": drawn.positions[:, 0], "y": drawn.positions[:, 1]})
    about = json.dumps({"settings": dict(drawn.settings), "quality": dict(drawn.quality)})
    with written_whole(path) as unfinished:
        pq.write_table(table.replace_schema_metadata({_ABOUT: about}), unfinished)


def _quality(
    features: NDArray[np.floating], positions: NDArray[np.float32], config: MapConfig, divergence: float
) -> dict[str, float]:
    """Return the figures by name; one that these rows do not have is left out."""

    def search_of(rows: NDArray[np.floating]) -> Search:
        if config.metric == "manhattan":
            return MeasuredSearch.of(rows.astype(np.float64), Manhattan())
        return Searchable.of(torch.from_numpy(rows), METRICS[config.metric])

    found = map_quality(features, torch.from_numpy(positions), search_of)
    figures = {"kl_divergence": float(divergence)}
    figures |= {f"recall_at_{count}": share for count, share in found.recall.items()}
    if not math.isnan(found.rank_correlation):
        figures["rank_correlation"] = found.rank_correlation
    return figures


def check_in_memory(run: Run) -> None:
    """Refuse to draw what is too large for memory.

    Raises
    ------
    InputError : if the features are in a file
    """
    if run.dataset.on_disk:
        raise InputError(
            f"{run.dataset.name} is large and stays on disk, and a map needs its rows in memory: give --sample, "
            "or take the steps `gradus fit` and `gradus evaluate`"
        )


def _network(run: Run) -> NetworkClassifier | None:
    """Return the network that was fitted in the run's directory, whose learned features are drawn; None without one."""
    if not run.directory.has("fit"):
        return None
    return run.model if isinstance(run.model, NetworkClassifier) else None


def _features(run: Run, features: NDArray[np.floating], *, learned: bool) -> NDArray[np.floating]:
    """Return the rows as t-SNE sees them: a table's columns on one scale, and the leading principal components."""
    check_in_memory(run)
    if not learned and is_table(run) and run.config.fit.scale != "none":
        features = Standardisation.measured_on(features).apply(features)
    components = run.config.map.components
    # components keep Euclidean distances, and no other metric
    if min(features.shape) <= components or run.config.map.metric != "euclidean":
        return features
    with progress.task("principal components"):
        reduced: NDArray[np.floating] = PCA(components, random_state=run.config.seed).fit_transform(features)
    return np.ascontiguousarray(reduced)


def _input(dimensions: int, given: int, name: str) -> str:
    """Return in words what t-SNE was given."""
    if dimensions < given:
        return f"{dimensions} of {given} {name}s (principal components)"
    return f"{dimensions} {name}{'' if dimensions == 1 else 's'}"
