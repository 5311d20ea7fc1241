"""Everything that runs on a GPU beside what people use there, with the floor that the memory sets."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.cuda_cases import TOPICS
from benchmarks.measure import Findings, NotHereError, Table, Target, median
from gradus.kernels import dispatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.cuda_cases.case import Calls, Case

# a case is warmed up by WARM rows, and then measured for SECONDS, by FEWEST to MOST rows of each contender
WARM, SECONDS, FEWEST, MOST = 2, 0.8, 3, 25
COPIED = 2**30
COLUMNS = ("what", "ms", "peer", "its ms", "times faster", "floor, ms", "times the floor")


def run(part: str = "") -> Findings:
    """Measure all topics, or those whose title begins with ``part``.

    Raises
    ------
    NotHereError : without a CUDA device
    """
    if not torch.cuda.is_available():
        raise NotHereError("it compares on a CUDA device, and torch finds none: run it on a machine with a GPU")
    bandwidth, tables, targets = _bandwidth(), [], []
    for title, cases in TOPICS.items():
        if title.lower().startswith(part.lower()):
            rows = [_measured(case, bandwidth, targets) for case in cases]
            tables.append(Table(title, COLUMNS, rows))
    compiled = [kernel for kernel in dispatch.kernels() if dispatch.chosen(kernel, "cuda") == "cuda"]
    return Findings(
        title="On a GPU",
        conditions=(
            f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}; its memory copies at {bandwidth / 1e12:.2f} "
            "TB/s, reads and writes together, which sets the floor: what must be read and written, once.",
            f"Medians of {FEWEST} to {MOST} turns of ours and the peer after {WARM} that are not counted; a time is "
            "the mean of 10 calls in a row before the device is waited for, and of one where the call itself waits.",
            f"Kernels in Triton: {', '.join(compiled) or 'none'}; the rest is torch.",
        ),
        tables=tables,
        targets=targets,
        packages=("numpy", "torch", "triton"),
    )


def _bandwidth() -> float:
    """Return bytes a second, read and written, of a copy larger than any cache."""
    source = torch.empty(COPIED, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    times = [_row(lambda: target.copy_(source), 10) for _ in range(5)]
    return 2.0 * COPIED / min(times)


def _measured(case: Case, bandwidth: float, targets: list[Target]) -> list[Any]:
    calls = case.prepare()
    ours, peer = _medians(calls)
    floor = calls.traffic / bandwidth
    del calls
    torch.cuda.empty_cache()
    if peer is not None and case.promise is not None:
        faster = peer / ours
        targets.append(Target(f"{case.name}: {case.promise:g} times {case.peer}", faster, faster >= case.promise))
    if floor and case.within is not None:
        times = ours / floor
        targets.append(Target(f"{case.name}: within {case.within:g} times the floor", times, times <= case.within))
    compared = ["-", "-"] if peer is None else [peer * 1e3, peer / ours]
    return [case.name, ours * 1e3, case.peer, *compared, *([floor * 1e3, ours / floor] if floor else ["-", "-"])]


def _medians(calls: Calls) -> tuple[float, float | None]:
    contenders = [calls.ours] if calls.peer is None else [calls.ours, calls.peer]
    for _ in range(WARM):
        for call in contenders:
            _row(call, calls.row)
    start = time.perf_counter()
    times = [[_row(call, calls.row)] for call in contenders]
    turn = time.perf_counter() - start
    for _ in range(min(max(int(SECONDS / turn), FEWEST - 1), MOST - 1)):
        for call, own in zip(contenders, times, strict=True):
            own.append(_row(call, calls.row))
    middle = [median(own) for own in times]
    return middle[0], middle[1] if len(middle) > 1 else None


def _row(call: Callable[[], object], count: int) -> float:
    """Return the seconds of one of ``count`` calls in a row."""
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(count):
        call()
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / count
