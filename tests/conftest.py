"""What one test sets for the whole process is taken back before the next."""

from __future__ import annotations

import os

import numba
import pytest
import torch


@pytest.fixture(autouse=True)
def as_many_threads_as_before():
    """Give every test all threads, whatever the commands run before it asked for."""
    environment, used, of_torch = os.environ.get("NUMBA_NUM_THREADS"), numba.get_num_threads(), torch.get_num_threads()
    yield
    if environment is None:
        os.environ.pop("NUMBA_NUM_THREADS", None)
    numba.set_num_threads(used)
    torch.set_num_threads(of_torch)
