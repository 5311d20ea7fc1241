"""The steps of a run in their order, and which of them are still to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradus.runs import environment
from gradus.runs.directory import RunDirectory, is_run
from gradus.runs.evaluating import evaluate
from gradus.runs.fitting import fit
from gradus.runs.mapping import check_in_memory, draw
from gradus.runs.reporting import report
from gradus.runs.run import Run, begin, check_settings, resume

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradus.runs.config import RunConfig

STEPS: dict[str, Callable[[Run], dict[str, Any] | None]] = {
    "fit": fit,
    "evaluate": evaluate,
    "map": draw,
    "report": report,
}
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
        return _take(begin(directory, config, labelled=_labelled(request)), request)
    check_settings(directory, config)
    return _take(resume(directory, labelled=_labelled(request)), request)


def go_on(directory: RunDirectory, request: Request) -> Run:
    """Open the run in ``directory``, take the steps that are missing, or all that are asked for, and return it."""
    return _take(resume(directory, labelled=_labelled(request)), request)


def _labelled(request: Request) -> bool:
    return not _NEED_LABELS.isdisjoint(request.steps)


def _take(run: Run, request: Request) -> Run:
    if "map" in request.steps:
        check_in_memory(run)
    with run.directory.locked():
        for step in request.steps:
            if request.overwrite or not run.directory.has(step):
                run.directory.discard_derived(step)
                with environment.timed(run.directory, step) as facts:
                    facts.update(STEPS[step](run) or {})
    return run
