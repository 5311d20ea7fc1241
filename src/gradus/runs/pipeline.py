"""The steps of a run in their order, and which of them are still to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gradus.core.errors import InputError
from gradus.runs import environment
from gradus.runs.directory import OUTPUTS, RunDirectory, is_run
from gradus.runs.evaluating import evaluate
from gradus.runs.fitting import fit
from gradus.runs.mapping import draw
from gradus.runs.reporting import report
from gradus.runs.run import Run, begin, check_settings, resume

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradus.runs.config import RunConfig

STEPS: dict[str, Callable[[Run], None]] = {"fit": fit, "evaluate": evaluate, "map": draw, "report": report}
_NEED_LABELS = {"fit", "evaluate"}


@dataclass(frozen=True)
class Request:
    """What a person asked for.

    Attributes
    ----------
    steps : names of the steps to take, in order
    directory : where, or None for ``runs/NAME``
    overwrite : make again what is there already
    """

    steps: Sequence[str]
    directory: Path | None = None
    overwrite: bool = False


def default_directory(source: str) -> Path:
    """Return ``runs/NAME`` for a source.

    Examples
    --------
    >>> default_directory("photos/birds.parquet").as_posix()
    'runs/birds'
    """
    return Path("runs") / (Path(source).name.split(".")[0] or "data")


def start(config: RunConfig, request: Request) -> Run:
    """Open the run of ``config``, as far as it got, take the steps that are missing, and return it."""
    directory = RunDirectory(request.directory or default_directory(config.source))
    if request.overwrite or not is_run(directory.path):
        return _take(begin(directory, config, labelled=_labelled(request)), request.steps)
    check_settings(directory, config)
    return _take(resume(directory, labelled=_labelled(request)), request.steps)


def go_on(directory: RunDirectory, request: Request) -> Run:
    """Open the run in ``directory``, take the steps that are missing, or all that are asked for, and return it."""
    run = resume(directory, labelled=_labelled(request))
    if request.overwrite:
        with directory.locked():
            for step in request.steps:
                directory.discard(step)
    return _take(run, request.steps)


def _labelled(request: Request) -> bool:
    return not _NEED_LABELS.isdisjoint(request.steps)


def _take(run: Run, steps: Sequence[str]) -> Run:
    with run.directory.locked():
        for step in steps:
            if not run.directory.has(step):
                with environment.timed(run.directory, step):
                    STEPS[step](run)
    return run


def missing(directory: RunDirectory, steps: Sequence[str]) -> list[str]:
    """Return the names of the files that ``steps`` would still have to make."""
    if not directory.path.is_dir():
        raise InputError(f"{directory.path} is not a directory: start a run with `gradus run DATA --out DIR`")
    return [name for step in steps for name in OUTPUTS[step] if not (directory / name).is_file()]
