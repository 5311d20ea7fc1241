"""The options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from gradus.runs.config import DataConfig, EvaluateConfig, FitConfig, MapConfig, RunConfig

# name="*" below: the fields of a section become options of their own, --alpha and not --fit.alpha.
_data = Group("Data", sort_key=1)
_fit = Group("Classifier", sort_key=2)
_evaluate = Group("Errors", sort_key=3)
_map = Group("Map", sort_key=4)
_session = Group("Session", sort_key=5)


@dataclass(frozen=True)
class Settings:
    """Every setting of a run but its source.

    Attributes
    ----------
    seed
        Of every random choice; same seed, same result.
    """

    seed: Annotated[int, Parameter(group=_session)] = 0
    data: Annotated[DataConfig, Parameter(name="*", group=_data)] = field(default_factory=DataConfig)
    fit: Annotated[FitConfig, Parameter(name="*", group=_fit)] = field(default_factory=FitConfig)
    evaluate: Annotated[EvaluateConfig, Parameter(name="*", group=_evaluate)] = field(default_factory=EvaluateConfig)
    map: Annotated[MapConfig, Parameter(name="*", group=_map)] = field(default_factory=MapConfig)


@dataclass(frozen=True)
class Session:
    """How a command behaves, whatever it computes.

    Attributes
    ----------
    overwrite
        Make again, and replace, what is there already.
    json
        Print one JSON object to standard output instead of a table.
    threads
        How many processor cores to use; all by default.
    debug
        Show the traceback of an error.
    """

    overwrite: bool = False
    json: bool = False
    threads: int | None = None
    debug: bool = False


FlatSettings = Annotated[Settings, Parameter(name="*")]
FlatSession = Annotated[Session, Parameter(name="*", group=_session)]


def configuration(source: str, settings: Settings) -> RunConfig:
    """Return the run's configuration; paths become absolute so that the run can be resumed from anywhere."""
    from dataclasses import replace

    data = replace(settings.data, labels=_absolute(settings.data.labels), test=_absolute(settings.data.test))
    return RunConfig(
        source=source if is_bundled(source) else str(Path(source).absolute()),
        seed=settings.seed,
        data=data,
        fit=settings.fit,
        evaluate=settings.evaluate,
        map=settings.map,
    )


def is_bundled(source: str) -> bool:
    """Tell whether ``source`` names a dataset that comes with gradus, and is not a path."""
    return source == "digits"


def _absolute(path: str | None) -> str | None:
    return None if path is None else str(Path(path).absolute())
