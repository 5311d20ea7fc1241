"""A fit's peak memory above what was there before, measured in a process of its own."""

import sys

import pytest

from forked_process import forked

STATUS = """
import ctypes, sys
import numpy as np
from gradus.estimators import SoftmaxRegression

# what glibc keeps of freed memory differs from run to run: here it keeps no large arrays
M_MMAP_THRESHOLD = -3
assert ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 131072)

def status(field):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))
"""
DENSE = """
rows, features, classes = map(int, sys.argv[1:4])
generator = np.random.default_rng(0)
X = generator.standard_normal((rows, features), dtype=np.float32)
drawn = X[:, :classes] + 0.5 * generator.standard_normal((rows, classes), dtype=np.float32)
y = drawn.argmax(axis=1)
del drawn
model = SoftmaxRegression(float(sys.argv[5]), l1_ratio=float(sys.argv[4]), tol=1e-3)
size = X.nbytes
"""
SPARSE = """
import scipy.sparse

rows, features, classes, entries = 20_000, 200_000, 20, 50
generator = np.random.default_rng(0)
columns = (features * generator.random((rows, entries)) ** 4).astype(np.int32).ravel()
values = generator.random(rows * entries, dtype=np.float32) / 7
starts = np.arange(0, rows * entries + 1, entries, dtype=np.int32)
X = scipy.sparse.csr_matrix((values, columns, starts), (rows, features))
X.sum_duplicates()
y = (X[:, :400] @ generator.standard_normal((400, classes), dtype=np.float32)).argmax(axis=1)
model = SoftmaxRegression(1e-3, l1_ratio=1.0, tol=1e-3)
size = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes + features * classes * 4
"""
PATH = """
from gradus.estimators.regularisation_path import regularisation_path
from gradus.estimators.softmax_problem import Settings
from gradus.losses import CrossEntropy, DenseFeatures, LinearModel
import torch


class Path:
    status_ = "converged"

    def fit(self, X, y):
        loss = CrossEntropy(torch.from_numpy(y), 100)
        model = LinearModel(loss, DenseFeatures(torch.from_numpy(X)), torch.full((len(X),), 1 / len(X)))
        settings = Settings(1.0, 0.0, 1.0, 1e-3, 1000, "auto")
        self.iterations = [found.solution.iterations for found in regularisation_path(model, settings, ALPHAS)]


ALPHAS = [1e-2, 3e-3]
generator = np.random.default_rng(0)
X = generator.standard_normal((20_000, 384), dtype=np.float32)
y = (X[:, :100] + 0.5 * generator.standard_normal((20_000, 100), dtype=np.float32)).argmax(axis=1)
model, size = Path(), X.nbytes
"""
MEASURED = """
model.fit(X[:6000], y[:6000])  # kernels are loaded: of so many rows some are drawn, too
ctypes.CDLL(None).malloc_trim(0)
before = status("VmRSS")
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")
model.fit(X, y)
assert model.status_ == "converged"
print((status("VmHWM") - before) / size)
"""


# rows that Newton's method draws are read where they lie, the Hessian among weights is at most a tenth of the data,
# and of many classes nobody holds the probabilities of all rows
@pytest.mark.skipif(sys.platform != "linux", reason="the high-water mark is read and reset by /proc")
@pytest.mark.parametrize(
    ("shape", "l1_ratio", "alpha"),
    [
        ((120_000, 400, 8), 0.0, 1e-3),
        ((40_000, 384, 100), 0.0, 1e-3),
        ((60_000, 784, 10), 0.5, 1e-3),
        ((1_000, 60_000, 5), 1.0, 0.04),
    ],
)
def test_a_fit_needs_three_tenths_beside_the_data(shape, l1_ratio, alpha, tmp_path):
    assert _growth(tmp_path, DENSE, *shape, l1_ratio, alpha) <= 0.3


# zeros that nobody writes to take nothing: what grows is a few numbers for each row and class. X is a third of the
# size: X and growth are at most 1.23 of it
@pytest.mark.skipif(sys.platform != "linux", reason="the high-water mark is read and reset by /proc")
def test_a_refit_of_sparse_rows_needs_less_than_the_rows_and_the_coefficients(tmp_path):
    assert _growth(tmp_path, SPARSE) <= 0.9


# what a path adds to its points: the leading rows of its classes, a sixth of X at most, and workspaces
@pytest.mark.skipif(sys.platform != "linux", reason="the high-water mark is read and reset by /proc")
def test_a_path_needs_four_tenths_beside_the_data_and_its_points(tmp_path):
    assert _growth(tmp_path, PATH) <= 0.4


def _growth(folder, data, *arguments):
    """Return by how much a fit's memory grows at most, relative to ``size``."""
    process = forked(STATUS + data + MEASURED, folder, *arguments)
    assert process.end() == 0, process.err.read_text()
    return float(process.out.read_text())
