"""Memory that was freed, and that glibc keeps, is the system's again."""

import subprocess
import sys

import pytest

MEASURED = """
import ctypes
from pathlib import Path
from gradus.core.free_memory import give_back


def resident():
    return 4096 * int(Path("/proc/self/statm").read_text().split()[1])



library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]
held = [library.malloc(100_000) for _ in range(400)]
for place in held:
    ctypes.memset(place, 1, 100_000)
for place in held[:-1]:  # the last keeps the others from going back by themselves
    library.free(place)
before = resident()
give_back()
print(before - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read by /proc, and glibc's is meant")
def test_what_is_free_goes_back():
    found = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, text=True, timeout=60, check=True)
    assert int(found.stdout) > 30e6
