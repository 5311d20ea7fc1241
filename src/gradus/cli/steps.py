"""From a command's arguments to the steps of a run, and from their result to what is printed."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from gradus.cli.options import Session, Settings, configuration
from gradus.cli.show import show
from gradus.cli.terminal import progress_on_stderr
from gradus.core import progress
from gradus.core.devices import use_threads
from gradus.core.errors import InputError
from gradus.runs.directory import RunDirectory, is_run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType


def take(steps: Sequence[str], source: str, out: Path | None, settings: Settings, session: Session) -> int:
    """Take ``steps`` on a source of data, or in a run directory that is given in its place."""
    if is_run(Path(source)):
        if out is not None or settings != Settings():
            raise InputError(
                f"{source} is a run directory, whose settings are in its config.toml: give DATA to change them, "
                f"or `gradus {steps[0] if len(steps) == 1 else 'run'} {source}` alone to go on"
            )
        return take_in(Path(source), steps, session)
    config = configuration(source, settings)  # refuses what is out of range before anything heavy is loaded
    with progress_on_stderr():
        pipeline = _pipeline(session)
        run = pipeline.start(config, pipeline.Request(steps, out, session.overwrite))
    return show(run.directory, steps, session)


def take_in(directory: Path, steps: Sequence[str], session: Session) -> int:
    """Take ``steps`` in a run directory."""
    with progress_on_stderr():
        pipeline = _pipeline(session)
        run = pipeline.go_on(RunDirectory(directory), pipeline.Request(steps, directory, session.overwrite))
    return show(run.directory, steps, session)


def _pipeline(session: Session) -> ModuleType:
    """Load what the steps are made of; with torch, bokeh and their kin that takes seconds, so say so."""
    with progress.task("loading libraries"):
        use_threads(session.threads)
        return importlib.import_module("gradus.runs.pipeline")
