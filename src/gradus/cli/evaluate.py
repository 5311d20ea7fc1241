"""``gradus evaluate``: the errors of a fitted run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gradus.cli.options import FlatSession, Session


def command(directory: Annotated[Path, Parameter(name="RUN")], /, *, session: FlatSession = Session()) -> int:
    """State the top-k errors of a fitted run on its held-out rows, with their intervals.

    Parameters
    ----------
    directory
        The run directory.
    """
    from gradus.cli.steps import take_in

    return take_in(directory, ("evaluate",), session)
