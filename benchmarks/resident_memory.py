"""By how much a process grows while something is fitted."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradus.core.free_memory import give_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PAGE = 4096


def alone(measured: Callable[[Any], list[Any]], arguments: Iterable[Any]) -> list[list[Any]]:
    """Return what ``measured`` returns for each argument, in a process of its own for each.

    In one that has fitted before, memory that is free already does not grow.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as processes:
        return list(processes.map(measured, arguments))


def growth(fit: Callable[[], Any]) -> int:
    """Return by how many bytes the resident memory is above that at the start, at most, looked at every millisecond."""
    give_back()
    ended, begun = threading.Event(), resident()
    largest = [begun]

    def watch() -> None:
        while not ended.wait(0.001):
            largest.append(max(largest.pop(), resident()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    kept = fit()
    ended.set()
    watcher.join()
    del kept
    return largest[0] - begun


def resident() -> int:
    """Return the resident memory of this process in bytes, 0 where the system does not tell."""
    statm = Path("/proc/self/statm")
    return PAGE * int(statm.read_text(encoding="ascii").split()[1]) if statm.exists() else 0
