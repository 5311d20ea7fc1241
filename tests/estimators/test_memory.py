"""A fit's peak memory above what was there before, measured in a process of its own."""

import os
import subprocess
import sys

import pytest

MEASURED = """
import ctypes, sys
import numpy as np
from gradus.estimators import SoftmaxRegression


def status(field):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


rows, features, classes = map(int, sys.argv[1:4])
generator = np.random.default_rng(0)
X = generator.standard_normal((rows, features), dtype=np.float32)
drawn = X[:, :classes] + 0.5 * generator.standard_normal((rows, classes), dtype=np.float32)
y = drawn.argmax(axis=1)
del drawn
model = SoftmaxRegression(1e-3, l1_ratio=float(sys.argv[4]), tol=1e-3)
model.fit(X[:6000], y[:6000])  # kernels are loaded: of so many rows some are drawn, too
ctypes.CDLL(None).malloc_trim(0)
before = status("VmRSS")
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")
model.fit(X, y)
assert model.status_ == "converged"
print((status("VmHWM") - before) / X.nbytes)
"""


# rows that Newton's method draws are read where they lie, the Hessian among weights is at most a tenth of the data,
# and of many classes nobody holds the probabilities of all rows
@pytest.mark.skipif(sys.platform != "linux", reason="the high-water mark is read and reset by /proc")
@pytest.mark.parametrize(
    ("shape", "l1_ratio"), [((120_000, 400, 8), 0.0), ((40_000, 384, 100), 0.0), ((60_000, 784, 10), 0.5)]
)
def test_a_fit_needs_three_tenths_beside_the_data(shape, l1_ratio):
    command = [sys.executable, "-c", MEASURED, *map(str, shape), str(l1_ratio)]
    # what glibc keeps of freed memory differs from run to run: here it keeps no large arrays
    given = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "131072"}
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=given)
    assert found.returncode == 0, found.stderr
    assert float(found.stdout) <= 0.3
