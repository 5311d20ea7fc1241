"""Processes of Python that need not import: forked, each for itself, from one that has imported all and begun nothing.

Imports take seconds, and are the same for every process that a test measures or kills. What is read while modules are
imported (the environment, which modules there are) is tested in processes that start from nothing.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess
    from pathlib import Path

# threads that wait leave the processor to others; read once, before all
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
FORKING = get_context("forkserver")
FORKING.set_forkserver_preload(["gradus.cli", "gradus.estimators", "gradus.runs.pipeline"])


@dataclass(frozen=True)
class ForkedProcess:
    """A process that runs a script; what it says goes into two files."""

    process: ForkServerProcess
    out: Path
    err: Path

    def end(self, timeout: float = 120.0) -> int:
        """Wait for its end and return its code, which is the negative number of the signal that killed it."""
        self.process.join(timeout)
        if self.process.exitcode is None:
            self.kill()
            raise TimeoutError(f"still running after {timeout} s: {self.err.read_text()}")
        return self.process.exitcode

    def kill(self) -> int:
        """Kill it for good, as kill -9 does."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()
        return self.process.exitcode


def forked(script: str, folder: Path, *arguments: object) -> ForkedProcess:
    """Start ``script``, the text of a program, with ``arguments``; what it says is written in ``folder``."""
    number = len(list(folder.glob("script-*.py")))
    source, out, err = (folder / f"script-{number}{ending}" for ending in (".py", ".out", ".err"))
    source.write_text(script)
    for file in (out, err):
        file.touch()
    process = FORKING.Process(target=_run, args=(source, [*map(str, arguments)], out, err))
    process.start()
    return ForkedProcess(process, out, err)


def _run(source: Path, arguments: list[str], out: Path, err: Path) -> None:
    for stream, file in ((1, out), (2, err)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND), stream)
    sys.argv = [str(source), *arguments]
    runpy.run_path(str(source), run_name="__main__")
