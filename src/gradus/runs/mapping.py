"""The map step: t-SNE of every row, as a table and as a picture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.decomposition import PCA

from gradus.core import progress
from gradus.core.files import written_whole
from gradus.estimators import TSNE
from gradus.report import Map, draw_map
from gradus.runs.directory import MAP, PICTURE
from gradus.runs.fitting import is_table
from gradus.runs.scaling import Standardisation

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gradus.runs.run import Run

_SETTINGS = b"gradus map"


def draw(run: Run) -> None:
    """Embed the rows of ``run`` in two dimensions and write ``map.parquet`` and ``map.png``."""
    features = _features(run)
    perplexity = run.config.map.perplexity_for(len(features))
    tsne = TSNE(perplexity=perplexity, max_iter=run.config.map.map_iterations, random_state=run.config.seed)
    positions = tsne.fit_transform(features).astype(np.float32, copy=False)
    settings = {
        "method": "t-SNE",
        "perplexity": f"{perplexity:.3g}",
        "input": _input(features.shape[1], run.dataset.features.shape[1]),
        "KL divergence": f"{tsne.kl_divergence_:.3f}",
        "iterations": str(tsne.n_iter_),
    }
    table = pa.table({"row_id": run.dataset.row_ids.tolist(), "x": positions[:, 0], "y": positions[:, 1]})
    draw_map(run.dataset, Map(positions, settings), run.directory / PICTURE)
    with written_whole(run.directory / MAP) as unfinished:
        pq.write_table(table.replace_schema_metadata({_SETTINGS: json.dumps(settings)}), unfinished)


def load_map(path: Path) -> Map:
    """Return the map that ``path`` holds."""
    table = pq.read_table(path)
    positions = np.stack([table["x"].to_numpy(), table["y"].to_numpy()], axis=1)
    return Map(positions, json.loads((table.schema.metadata or {}).get(_SETTINGS, b"{}")))


def _features(run: Run) -> NDArray[np.floating]:
    """Return the rows as t-SNE sees them: a table's columns on one scale, and the leading principal components."""
    features = run.dataset.features
    if is_table(run) and run.config.fit.scale != "none":
        features = Standardisation.measured_on(features).apply(features)
    components = run.config.map.components
    if min(features.shape) <= components:
        return features
    with progress.task("principal components"):
        reduced: NDArray[np.floating] = PCA(components, random_state=run.config.seed).fit_transform(features)
    return reduced


def _input(dimensions: int, given: int) -> str:
    """Return in words what t-SNE was given."""
    if dimensions < given:
        return f"{dimensions} of {given} dimensions (principal components)"
    return f"{dimensions} dimension{'' if dimensions == 1 else 's'}"
