"""How many threads the kernels use inside a block, and how parts of the work are handed to them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, TypeVar

import numba
import torch

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Part = TypeVar("Part")
Result = TypeVar("Result")

# what one thread does in roughly half a millisecond
LEAST_OPERATIONS = 4_000_000


@contextmanager
def threads(count: int | None) -> Iterator[int]:
    """Run the kernels inside this block on ``count`` threads; None and -1 mean as many as outside, -2 one fewer.

    PyTorch's operations between two kernels are short, and run on one thread inside: waking others would cost more.

    Raises
    ------
    InputError : if ``count`` is 0

    Examples
    --------
    >>> with threads(1) as used:
    ...     used
    1
    """
    _started()
    most = numba.get_num_threads()
    if count == 0:
        raise InputError("n_jobs is 0, which leaves no thread to work: give a positive number, or -1 for all")
    wanted = most if count is None else count if count > 0 else most + 1 + count
    torch_before = torch.get_num_threads()
    numba.set_num_threads(max(1, min(wanted, most)))
    torch.set_num_threads(1)
    try:
        yield numba.get_num_threads()
    finally:
        numba.set_num_threads(most)
        torch.set_num_threads(torch_before)


@contextmanager
def worth(operations: int) -> Iterator[None]:
    """Run the kernels inside this block on no more threads than ``operations`` arithmetic steps keep busy.

    Waking a thread and waiting for it costs more than a fraction of a millisecond of work, much more where other
    programs want the same core. No kernel's result depends on the number of threads.
    """
    _started()
    before = numba.get_num_threads()
    numba.set_num_threads(min(before, 1 + operations // LEAST_OPERATIONS))
    try:
        yield
    finally:
        numba.set_num_threads(before)


def each_part(parts: Sequence[Part], run: Callable[[Part], Result], operations: int) -> list[Result]:
    """Return what ``run`` returns for each part, on as many threads as ``operations`` arithmetic steps keep busy.

    Torch works on one thread inside: how it splits a product among threads would change its rounding. What is run may
    call this again.
    """
    _started()
    workers = min(numba.get_num_threads(), 1 + operations // LEAST_OPERATIONS, len(parts))
    torch_before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _by_turns(parts, run, workers) if workers > 1 else [run(part) for part in parts]
    finally:
        torch.set_num_threads(torch_before)


def _by_turns(parts: Sequence[Part], run: Callable[[Part], Result], workers: int) -> list[Result]:
    found: dict[int, Result] = {}
    numbers = iter(range(len(parts)))

    def work() -> None:
        for number in numbers:
            found[number] = run(parts[number])

    # this thread works too: one that waits would be woken after every part, and take a core from those that work
    others = [_pool(workers - 1).submit(work) for _ in range(workers - 1)]
    try:
        work()
    finally:
        for other in others:
            # one that has not begun, because its thread works for somebody else, has nothing left to do
            if not other.cancel():
                other.result()
    return [found[number] for number in range(len(parts))]


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    # kept, because every new thread would get its memory from the system anew
    return ThreadPoolExecutor(workers, thread_name_prefix="gradus", initializer=torch.set_num_threads, initargs=(1,))


# a forked process has the pool, but not its threads
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)


@cache
def _started() -> None:
    """Let Numba start its threads, which sets OpenMP's number of threads and with it PyTorch's, and put that back."""
    torch_before = torch.get_num_threads()
    numba.get_num_threads()
    torch.set_num_threads(torch_before)
