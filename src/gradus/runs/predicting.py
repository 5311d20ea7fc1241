"""Predictions for new rows by a fitted run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from scipy.special import softmax

from gradus.core.errors import InputError, did_you_mean
from gradus.core.files import written_whole
from gradus.data import Dataset, read
from gradus.data.finding import understood
from gradus.runs.directory import MODEL, RunDirectory
from gradus.runs.model import LinearClassifier, load
from gradus.runs.run import read_config, read_options

if TYPE_CHECKING:
    from pathlib import Path

    from gradus.runs.network import NetworkClassifier

_ALTERNATIVES = 5


@dataclass(frozen=True)
class Output:
    """Where predictions go.

    Attributes
    ----------
    path : a .parquet or .csv file
    overwrite : replace it if it is there
    """

    path: Path
    overwrite: bool = False

    def check(self) -> None:
        """Check, writing nothing, that the file can be written.

        Raises
        ------
        InputError : if it is there already, is of another kind, or its folder is missing
        """
        if self.path.suffix not in (".parquet", ".csv"):
            raise InputError(f"--out {self.path} is neither a .parquet nor a .csv file: give it one of these endings")
        if self.path.exists() and not self.overwrite:
            raise InputError(f"--out {self.path} is there already: choose another name, or --overwrite to replace it")
        if not self.path.absolute().parent.is_dir():
            raise InputError(f"--out {self.path} is in a folder that does not exist: make the folder first")


def predict(directory: RunDirectory, source: str, output: Output) -> pa.Table:
    """Predict the rows of ``source`` with the run in ``directory``, write them, and return them.

    The rows are read as the run's own were (label and id columns, image size), as far as their format has such; labels
    are not needed.

    Raises
    ------
    InputError : if the rows cannot be read, or lack features that the classifier was fitted on
    """
    output.check()
    config, model = read_config(directory), load(directory / MODEL)
    options = replace(
        read_options(config, labelled=False),
        sample=None,
        test=None,
        labels=None,
        channels=model.image_shape[2] if model.image_shape else None,  # grey images for a colour model, and back
    )
    table = predictions_of(_aligned(read(source, understood(source, options)), model, directory), model)
    with written_whole(output.path) as unfinished:
        if output.path.suffix == ".csv":
            pyarrow.csv.write_csv(table, unfinished)
        else:
            pq.write_table(table, unfinished)
    return table


def predictions_of(dataset: Dataset, model: LinearClassifier | NetworkClassifier) -> pa.Table:
    """Return ``row_id``, ``predicted``, ``probability`` and the best few classes of every row."""
    scores = model.scores(dataset, slice(None))
    best = min(_ALTERNATIVES, len(model.class_names))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :best]
    probabilities = np.take_along_axis(softmax(scores.astype(np.float64), axis=1), order, axis=1).astype(np.float32)
    names = np.array(model.class_names, dtype=object)[order]
    columns = {
        "row_id": dataset.row_ids.tolist(),
        "predicted": names[:, 0].tolist(),
        "probability": probabilities[:, 0],
    }
    for rank in range(1, best):
        columns |= {f"predicted_{rank + 1}": names[:, rank].tolist(), f"probability_{rank + 1}": probabilities[:, rank]}
    return pa.table(columns)


def _aligned(dataset: Dataset, model: LinearClassifier | NetworkClassifier, directory: RunDirectory) -> Dataset:
    """Return ``dataset`` with the columns that the classifier was fitted on, in its order."""
    expected = model.feature_names if isinstance(model, LinearClassifier) else None
    given = dataset.feature_names
    if expected is not None and given is not None and expected != given:
        missing = [name for name in expected if name not in given]
        if missing:
            raise InputError(
                f"{dataset.name} lacks the column {missing[0]!r} that the classifier in {directory.path} was fitted on"
                f"{did_you_mean(missing[0], given)}: give all of its {len(expected)} columns"
            )
        position = {name: index for index, name in enumerate(given)}
        columns = [position[name] for name in expected]
        dataset = replace(dataset, features=dataset.features[:, columns], feature_names=expected)
    model.check(dataset, directory.path)
    return dataset
