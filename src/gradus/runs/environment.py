"""Where and when a run was made: ``environment.json``."""

from __future__ import annotations

import json
import os
import platform
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from gradus.core.files import written_whole
from gradus.runs.directory import ENVIRONMENT, RunDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES = ("gradus", "torch", "numpy", "scipy", "numba", "scikit-learn", "pyarrow", "pillow", "bokeh", "matplotlib")


def describe_machine() -> dict[str, Any]:
    """Return versions, processor, threads and device of this process, without host or user names."""
    import torch

    return {
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "device": _accelerator() or "cpu",
    }


def _accelerator() -> str:
    """Return the name, memory and CUDA version of the GPU that torch takes first; nothing where there is none."""
    import torch

    if not torch.cuda.is_available():
        return ""
    memory = torch.cuda.get_device_properties(0).total_memory / 2**30
    return f"{torch.cuda.get_device_name(0)} ({memory:.0f} GiB, CUDA {torch.version.cuda})"


def read(directory: RunDirectory) -> dict[str, Any]:
    """Return what ``environment.json`` holds; empty where there is none yet."""
    path = directory / ENVIRONMENT
    if not path.is_file():
        return {}
    loaded = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def update(directory: RunDirectory, **entries: Any) -> None:
    """Merge ``entries`` into ``environment.json``."""
    write_json(directory / ENVIRONMENT, read(directory) | entries)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write ``content`` as indented JSON, whole or not at all; NaN is refused."""
    with written_whole(path) as unfinished:
        unfinished.write_text(
            json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
        )


@contextmanager
def timed(directory: RunDirectory, step: str) -> Iterator[dict[str, Any]]:
    """Record the seconds of ``step``, when it ended, the machine that made it, and what the block adds to the dict."""
    start, more = time.perf_counter(), dict[str, Any]()
    yield more
    steps = read(directory).get("steps", {})
    ended = datetime.now(UTC).isoformat(timespec="seconds")
    steps[step] = {"seconds": round(time.perf_counter() - start, 2), "ended": ended} | more
    update(directory, **describe_machine(), steps=steps)
