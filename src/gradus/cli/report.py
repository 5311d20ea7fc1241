"""``gradus report``: one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gradus.cli.options import FlatSession, Session


def command(directory: Annotated[Path, Parameter(name="RUN")], /, *, session: FlatSession = Session()) -> int:
    """Write the HTML report of whatever a run directory holds: errors, map, or both.

    Parameters
    ----------
    directory
        The run directory.
    """
    from gradus.cli.steps import take_in

    return take_in(directory, ("report",), session)
