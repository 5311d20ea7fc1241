"""The run directory: which files it has, and which step makes which."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gradus.core.errors import InputError
from gradus.core.files import UNFINISHED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = "config.toml"
ENVIRONMENT = "environment.json"
CHECKPOINT = "checkpoint.safetensors"
MODEL = "model.safetensors"
BASELINE = "baseline.safetensors"
METRICS = "metrics.json"
PREDICTIONS = "predictions.parquet"
MAP = "map.parquet"
PICTURE = "map.png"
VECTORS = "map.svg"
REPORT = "report.html"

# What each step leaves behind, in the order of the steps, and which steps are computed from that.
OUTPUTS: dict[str, tuple[str, ...]] = {
    "fit": (MODEL,),
    "evaluate": (METRICS, PREDICTIONS),
    "map": (PICTURE, VECTORS, MAP),
    "report": (REPORT,),
}
DERIVED: dict[str, tuple[str, ...]] = {
    "fit": ("evaluate", "report"),
    "evaluate": ("report",),
    "map": ("report",),
    "report": (),
}
_OWN = {CONFIG, ENVIRONMENT, CHECKPOINT, BASELINE, *(name for names in OUTPUTS.values() for name in names)}
_LOCK = ".lock"


def is_run(path: Path) -> bool:
    """Tell whether ``path`` is a directory that holds a run."""
    return (path / CONFIG).is_file()


class RunDirectory:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def has(self, step: str) -> bool:
        """Tell whether all outputs of ``step`` are there."""
        return all((self.path / name).is_file() for name in OUTPUTS[step])

    def discard_derived(self, step: str) -> None:
        """Delete the outputs of every step that is computed from those of ``step``."""
        for derived in DERIVED[step]:
            self.discard(derived)

    def discard(self, step: str) -> None:
        """Delete the outputs of a step."""
        for name in OUTPUTS[step]:
            (self.path / name).unlink(missing_ok=True)

    def discard_all(self) -> None:
        """Delete every file of the run, and no other."""
        for name in _OWN:
            (self.path / name).unlink(missing_ok=True)

    def check(self) -> None:
        """Check, writing nothing, that a run can live here: the path is free, empty or a run's already.

        Raises
        ------
        InputError : if the path is a file, cannot be written to, or is a directory with somebody else's files
        """
        standing = next(parent for parent in (self.path, *self.path.absolute().parents) if parent.exists())
        if not standing.is_dir():
            raise InputError(
                f"--out {self.path} needs {standing} to be a directory, but it is a file: choose another --out"
            )
        if not os.access(standing, os.W_OK | os.X_OK):
            raise InputError(f"--out {self.path} cannot be written to: change its permissions or choose another --out")
        if standing != self.path:
            return
        names = {item.name for item in self.path.iterdir() if not item.name.startswith((UNFINISHED, _LOCK))}
        # A run that was killed at its very beginning has files of ours and no settings yet.
        if not names <= _OWN and not is_run(self.path):
            raise InputError(
                f"--out {self.path} holds files that are not a run's ({min(names - _OWN)}, ...): choose a new directory"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory, made if need be, against a second gradus; the lock ends when the process does.

        Raises
        ------
        InputError : if another process holds it
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / _LOCK).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InputError(
                    f"another gradus is working in {self.path}: wait until it has finished, or use another --out"
                ) from error
            for unfinished in self.path.glob(f"{UNFINISHED}*"):
                shutil.rmtree(unfinished) if unfinished.is_dir() else unfinished.unlink()
            yield
