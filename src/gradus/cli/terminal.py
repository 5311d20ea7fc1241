"""What a person sees on a terminal: progress on stderr, tables on stdout."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

    from gradus.core.progress import Task


class _Shown:
    def __init__(self, shown: Progress, identity: TaskID) -> None:
        self.shown = shown
        self.identity = identity

    def advance(self, amount: float = 1.0, note: str = "") -> None:
        if note:
            self.shown.update(self.identity, advance=amount, note=note)
        else:
            self.shown.advance(self.identity, amount)


class TerminalReporter:
    """Shows every task as a bar while it is under way."""

    def __init__(self, shown: Progress) -> None:
        self.shown = shown

    def open(self, description: str, total: float | None) -> Task:
        """Begin to show a task."""
        return _Shown(self.shown, self.shown.add_task(description, total=total, note=""))

    def close(self, task: Task) -> None:
        """Take the task off the screen."""
        assert isinstance(task, _Shown)
        self.shown.remove_task(task.identity)


@contextmanager
def progress_on_stderr() -> Iterator[None]:
    """Show progress inside this block where stderr is a terminal; say nothing where it is not."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from gradus.core.progress import reporting
    from gradus.kernels.announcement import compilation_announced

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[note]}"),
    )
    with (
        Progress(*columns, console=Console(stderr=True), transient=True) as shown,
        reporting(TerminalReporter(shown)),
        compilation_announced(),
    ):
        yield


def say(sentence: str) -> None:
    """Print a sentence to stderr."""
    sys.stderr.write(f"{sentence}\n")
