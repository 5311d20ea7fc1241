"""``gradus predict``: the classes of new rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gradus.cli.options import FlatSession, Session


def command(
    directory: Annotated[Path, Parameter(name="RUN")],
    data: Annotated[str, Parameter(name="DATA")],
    /,
    *,
    out: Path,
    session: FlatSession = Session(),
) -> int:
    """Predict the classes of new rows with a fitted run; the rows need no labels.

    Parameters
    ----------
    directory
        The run directory.
    data
        What to predict: a folder of images, a .npz, .npy, .csv or .parquet file.
    out
        The .parquet or .csv file to write: row id, the best classes and their probabilities.
    """
    from gradus.cli.show import show_predictions
    from gradus.cli.terminal import progress_on_stderr
    from gradus.core.devices import use_threads
    from gradus.runs.directory import RunDirectory
    from gradus.runs.predicting import Output
    from gradus.runs.predicting import predict as predict_rows

    use_threads(session.threads)
    with progress_on_stderr():
        table = predict_rows(RunDirectory(directory), data, Output(out, session.overwrite))
    return show_predictions(table, out, session)
