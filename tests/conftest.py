"""Examples are drawn the same in every run, and what one test sets for the process is taken back before the next."""

from __future__ import annotations

import gc
import os

import numba
import pytest
import torch
from hypothesis import settings

from simulated_device import simulated_device

# a run tells of the change that was made, not of luck; --hypothesis-profile=default goes looking for more
# without a device Triton's kernels are run by its interpreter, which it is told of before it reads them
if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")

# What is collected stays until the end: ten thousand tests and their modules would be looked through for garbage over
# and over, which took a twentieth of all time.
gc.disable()


def pytest_collection_finish():
    gc.collect()
    gc.freeze()
    gc.enable()


settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


# Torch's small operations gain nothing from threads that another process of tests needs: they took a sixth longer.
ALL_THREADS = torch.get_num_threads()
if "PYTEST_XDIST_WORKER" in os.environ:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def as_many_threads_as_before(request):
    """Take back how many threads a test asked for; where its name or file speaks of threads torch has all of them."""
    environment, used, of_torch = os.environ.get("NUMBA_NUM_THREADS"), numba.get_num_threads(), torch.get_num_threads()
    if "thread" in request.node.nodeid:
        torch.set_num_threads(ALL_THREADS)
    yield
    if environment is None:
        os.environ.pop("NUMBA_NUM_THREADS", None)
    numba.set_num_threads(used)
    torch.set_num_threads(of_torch)


@pytest.fixture(params=[pytest.param("gpu", marks=pytest.mark.gpu) if torch.cuda.is_available() else "simulated"])
def device(request):
    """A CUDA device: the GPU where there is one, and else a simulated one (``simulated_device``)."""
    if request.param == "gpu":
        yield torch.device("cuda", 0)
        return
    with simulated_device():
        torch.set_num_threads(1)  # small tensors gain nothing from more, and others may be at work here
        yield torch.device("cuda", 0)
