"""Progress that is reported where a person waits, and costs nothing where nobody looks.

Library code opens a task; whoever faces the person (the command line, ``verbose=1``) installs a reporter around the
call. Without a reporter, tasks are silent.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Task(Protocol):
    """One piece of work under way."""

    def advance(self, amount: float = 1.0, note: str = "") -> None:
        """Say that ``amount`` more of the total is done; ``note`` is a short figure to show, such as a loss."""


class Reporter(Protocol):
    """Shows tasks to a person."""

    def open(self, description: str, total: float | None) -> Task:
        """Begin to show a task of ``total`` units (None: unknown)."""

    def close(self, task: Task) -> None:
        """Stop showing ``task``."""


class _Silent:
    def open(self, description: str, total: float | None) -> Task:
        return self

    def close(self, task: Task) -> None:
        return

    def advance(self, amount: float = 1.0, note: str = "") -> None:
        return


_SILENT = _Silent()
_reporter: ContextVar[Reporter | None] = ContextVar("reporter", default=None)


@contextmanager
def reporting(reporter: Reporter) -> Iterator[None]:
    """Show the tasks opened inside this block on ``reporter``."""
    token = _reporter.set(reporter)
    try:
        yield
    finally:
        _reporter.reset(token)


def is_watched() -> bool:
    """Return whether a reporter is installed: notes that take work are made for nobody else."""
    return _reporter.get() is not None


@contextmanager
def task(description: str, total: float | None = None) -> Iterator[Task]:
    """Open a task on the installed reporter.

    Examples
    --------
    >>> with task("reading", total=3) as reading:
    ...     for _ in range(3):
    ...         reading.advance()
    """
    reporter = _reporter.get() or _SILENT
    opened = reporter.open(description, total)
    try:
        yield opened
    finally:
        reporter.close(opened)
