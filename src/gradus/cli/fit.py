"""``gradus fit``: the classifier only."""

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
    """Fit the classifier and save it in a run directory; the held-out rows take no part.

    Parameters
    ----------
    data
        `digits`, a folder of images, a .npz, .npy, .csv or .parquet file, or a run directory.
    out
        The run directory; `runs/NAME` by default.
    """
    from gradus.cli.steps import take

    return take(("fit",), data, out, settings, session)
