"""``gradus run``: everything at once, and on from where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gradus.cli.options import FlatSession, FlatSettings, Session, Settings


def command(
    data: Annotated[str, Parameter(name="DATA")],
    /,
    *,
    out: Path | None = None,
    settings: FlatSettings = Settings(),
    session: FlatSession = Session(),
) -> int:
    """Fit a classifier, state its errors, draw a map and write a report, all in one run directory.

    A run that was stopped goes on with the same command, or with `gradus run DIR`.

    Parameters
    ----------
    data
        `digits`, a folder of images, a .npz, .npy, .csv or .parquet file, or a run directory to go on with.
    out
        The run directory; `runs/NAME` by default.
    """
    from gradus.cli.steps import take

    return take(("fit", "evaluate", "map", "report"), data, out, settings, session)
