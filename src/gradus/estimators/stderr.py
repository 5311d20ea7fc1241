"""Progress as lines on stderr, for an estimator's ``verbose``."""

from __future__ import annotations

import math
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gradus.core.progress import reporting
from gradus.kernels.announcement import compilation_announced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradus.core.progress import Task

# seconds between two lines of the same task
PAUSE = 1.0


@dataclass
class _Lines:
    """One task, told in lines that are at least a second apart, the first at once."""

    description: str
    total: float | None
    begun: float = field(default_factory=time.monotonic)
    told: float = -math.inf
    done: float = 0.0
    note: str = ""

    def advance(self, amount: float = 1.0, note: str = "") -> None:
        self.done += amount
        self.note = note
        now = time.monotonic()
        if now - self.told >= PAUSE:
            self.told = now
            self.tell(note)

    def tell(self, note: str) -> None:
        share = f" {self.done:g}" + (f" of {self.total:g}" if self.total is not None else "")
        sys.stderr.write(f"{self.description}:{share} {note} ({time.monotonic() - self.begun:.1f} s)\n")


class _Stderr:
    def open(self, description: str, total: float | None) -> Task:
        return _Lines(description, total)

    def close(self, task: Task) -> None:
        if isinstance(task, _Lines):
            task.tell(f"{task.note}, done" if task.note else "done")


@contextmanager
def reporting_to_stderr(verbose: int) -> Iterator[None]:
    """Show the tasks inside this block on stderr if ``verbose`` is not 0; else leave the reporter as it is."""
    if not verbose:
        yield
        return
    with reporting(_Stderr()), compilation_announced():
        yield
