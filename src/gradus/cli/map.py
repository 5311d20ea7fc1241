"""``gradus map``: a t-SNE map of a run, or of any data, labelled or not."""

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
    """Draw a t-SNE map of every row and save it in a run directory; labels are welcome but not needed.

    Parameters
    ----------
    data
        A run directory, `digits`, a folder of images, or a .npz, .npy, .csv or .parquet file.
    out
        The run directory; `runs/NAME` by default.
    """
    from gradus.cli.steps import take

    return take(("map",), data, out, settings, session)
