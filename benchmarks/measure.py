"""How a benchmark measures, and how it writes down what it found.

A benchmark is a module of this package with one function, ``run() -> Findings``. ``python -m benchmarks NAME`` calls it
and writes ``benchmarks/results/NAME.json`` and ``NAME.md``.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

RESULTS = Path(__file__).parent / "results"


class NotHereError(Exception):
    """A benchmark cannot be run on this machine; says why."""


@dataclass(frozen=True)
class Table:
    """Figures in rows and columns, as they are printed.

    Attributes
    ----------
    title : what the table compares, and under which conditions
    columns : their heads
    rows : a cell for each column; numbers are kept as numbers in the JSON file
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Target:
    """Something that was promised, and what was measured.

    Attributes
    ----------
    promise : in words, with its figure
    measured : the figure found
    met : whether the promise holds
    """

    promise: str
    measured: float
    met: bool


@dataclass(frozen=True)
class Findings:
    """Everything that one benchmark found.

    Attributes
    ----------
    title : of the page
    conditions : data, settings, how often and how it was measured, a sentence each
    tables : the figures
    targets : what was promised
    packages : distributions whose versions matter
    """

    title: str
    conditions: Sequence[str]
    tables: Sequence[Table]
    targets: Sequence[Target] = ()
    packages: Sequence[str] = field(default=("numpy", "numba", "torch"))


def alternate(calls: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Return the seconds of ``repeats`` calls of each, taken in turns after one call of each that is not counted.

    Turns make the machine's slower and faster moments meet every contender alike.
    """
    for call in calls.values():
        call()
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def median(seconds: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(seconds)


@contextmanager
def on_threads(count: int) -> Iterator[None]:
    """Give torch and Numba ``count`` threads inside this block."""
    before = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(count)
    numba.set_num_threads(min(count, before[1]))
    try:
        yield
    finally:
        numba.set_num_threads(before[1])
        torch.set_num_threads(before[0])


def machine() -> dict[str, Any]:
    """Return what the figures depend on, without anything that names the machine or its user."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    cores = len(os.sched_getaffinity(0)) if "sched_getaffinity" in dir(os) else os.cpu_count()
    return {"processor": model, "cores": cores, "system": platform.system(), "python": platform.python_version()}


def write(name: str, findings: Findings, results: Path = RESULTS) -> str:
    """Write ``findings`` to ``results`` as JSON and as Markdown, and return the Markdown."""
    results.mkdir(parents=True, exist_ok=True)
    when = datetime.now(UTC).date().isoformat()
    versions = {package: version(package) for package in findings.packages}
    record = {"date": when, "machine": machine(), "versions": versions, **asdict(findings)}
    page = _markdown(findings, record)
    (results / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    (results / f"{name}.md").write_text(page, encoding="utf-8")
    return page


def _markdown(findings: Findings, record: Mapping[str, Any]) -> str:
    found = record["machine"]
    versions = ", ".join(f"{package} {number}" for package, number in record["versions"].items())
    lines = [
        f"# {findings.title}",
        "",
        f"{record['date']}; {found['processor']}, {found['cores']} cores, {found['system']}; "
        f"Python {found['python']}, {versions}.",
        "",
        *(f"- {condition}" for condition in findings.conditions),
    ]
    for table in findings.tables:
        lines += ["", f"## {table.title}", "", _row(table.columns), _row(["---"] * len(table.columns))]
        lines += [_row(row) for row in table.rows]
    if findings.targets:
        lines += ["", "## Targets", "", _row(["promise", "measured", "met"]), _row(["---"] * 3)]
        lines += [_row([target.promise, target.measured, "yes" if target.met else "NO"]) for target in findings.targets]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in cells) + " |"
