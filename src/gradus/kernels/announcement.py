"""A person who waits for kernels to be compiled is told so: it happens once per installation, and takes a while."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from numba.core import event

from gradus.core import progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradus.core.progress import Task

WAITING_FOR = "compiling kernels, once per installation"


class _Announcement(event.Listener):
    """Opens a progress task when Numba first compiles; what it loads from its cache on disk is no such event."""

    def __init__(self, opened: ExitStack) -> None:
        self._opened = opened
        self._task: Task | None = None
        # a kernel may be compiled on a thread that knows of no reporter
        self._context = copy_context()

    def on_start(self, event: Any) -> None:
        if self._task is None:
            self._task = self._context.run(self._opened.enter_context, progress.task(WAITING_FOR))
        self._task.advance()

    def on_end(self, event: Any) -> None:
        """Leave the task open: more kernels follow, between which little else happens."""


@contextmanager
def compilation_announced() -> Iterator[None]:
    """Report as progress that kernels are being compiled, if any are inside this block."""
    with ExitStack() as opened, event.install_listener("numba:compile", _Announcement(opened)):
        yield
