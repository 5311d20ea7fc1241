"""Fits of data in files: the same answers as in memory, within bounds, and going on after a kill."""

import json
import signal
import time

import numpy as np
import pytest
import torch
from safetensors import safe_open
from scipy.sparse import csr_matrix

from forked_process import forked
from gradus import SoftmaxRegression
from gradus.core import mapped
from gradus.core.errors import InputError
from gradus.estimators import starting, validation
from gradus.penalties import L1, L2, Sum
from gradus.solvers import checkpoint

CHUNK = 65_536


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(starting, "START_NUMBERS", 20_000)
    monkeypatch.setattr(mapped, "CHUNK_BYTES", CHUNK)
    monkeypatch.setattr(validation, "CHUNK_BYTES", CHUNK)


def problem(dtype=np.uint8, samples=3000, features=40):
    generator = np.random.default_rng(0)
    y = generator.integers(0, 4, samples)
    means = generator.integers(80, 170, (4, features))
    X = np.clip(means[y] + 50 * generator.standard_normal((samples, features)), 0, 255).astype(dtype)
    return X, np.array(["a", "b", "c", "d"])[y]


def in_file(X, path):
    np.save(path, X)
    return np.load(path, mmap_mode="r")


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_a_file_gives_the_answer_of_the_same_numbers_in_float64(dtype, l1_ratio, tmp_path, small_chunks):
    X, y = problem(dtype)
    stored = in_file(X, tmp_path / "X.npy")
    assert validation.on_disk(stored)
    tol = 1e-5 if dtype != np.float64 else 1e-10
    settings = {"alpha": 0.1, "l1_ratio": l1_ratio, "tol": tol}
    there = SoftmaxRegression(**settings).fit(stored, y)
    here = SoftmaxRegression(**{**settings, "tol": 1e-9}).fit(X.astype(np.float64), y)
    assert there.status_ == "converged"
    assert there.relative_gap_ <= tol
    # the gap is that of the numbers stored, and so bounds the distance to their minimum
    rounding = 1e-6 if dtype != np.float64 else 1e-14
    assert here.objective_ * (1 - rounding - 1e-9) <= there.objective_ <= here.objective_ * (1 + rounding + tol)
    np.testing.assert_array_equal(there.predict(stored), there.predict(X))
    assert there.score(stored, y) == pytest.approx(here.score(X.astype(np.float64), y), abs=0.002)
    assert there.n_features_in_ == 40


@pytest.mark.parametrize("dtype", [np.uint8, np.float16])
def test_small_numbers_in_memory_are_not_widened(dtype):
    X, y = problem(dtype)
    assert validation.as_features(X).matrix.data_ptr() == X.ctypes.data
    model = SoftmaxRegression(alpha=0.1).fit(X, y)
    assert model.coef_.dtype == np.float32
    wide = SoftmaxRegression(alpha=0.1, tol=1e-9).fit(X.astype(np.float64), y)
    assert model.objective_ <= wide.objective_ * (1 + 1e-4)


def test_a_read_only_array_is_not_copied():
    X, _ = problem(np.float32)
    X.flags.writeable = False
    assert validation.as_features(X).matrix.data_ptr() == X.ctypes.data


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda X, y: (X, y[:-1]), "inconsistent numbers of samples"),
        (lambda X, y: (X, np.full(len(y), "a")), "one class only"),
        (lambda X, y: (X, None), "y cannot be None|requires y"),
    ],
)
def test_wrong_labels_of_a_file(change, sentence, tmp_path, small_chunks):
    X, y = problem()
    X, y = change(in_file(X, tmp_path / "X.npy"), y)
    with pytest.raises(InputError, match=sentence):
        SoftmaxRegression().fit(X, y)


def test_what_is_not_finite_in_a_file_is_named(tmp_path, small_chunks):
    X, y = problem(np.float32)
    X[2500, 3] = np.nan
    with pytest.raises(InputError, match="NaN or infinity in row 2500"):
        SoftmaxRegression().fit(in_file(X, tmp_path / "X.npy"), y)


def test_another_width_is_refused(tmp_path, small_chunks):
    X, y = problem()
    model = SoftmaxRegression(alpha=0.1).fit(in_file(X, tmp_path / "X.npy"), y)
    with pytest.raises(InputError, match="39 features"):
        model.predict(in_file(np.ascontiguousarray(X[:, :39]), tmp_path / "other.npy"))


# in a process of its own, because what an old one holds is reused, or not, as it comes
GROWTH = """
import sys, threading
from pathlib import Path
import numpy as np
from gradus import SoftmaxRegression
from gradus.core import mapped
from gradus.estimators import starting
mapped.CHUNK_BYTES, starting.START_NUMBERS = 16_777_216, 1_000_000
stored, y = np.load(sys.argv[1], mmap_mode="r"), np.load(sys.argv[2])
SoftmaxRegression(alpha=1.0, tol=0.05).fit(np.array(stored[:10_000]), y[:10_000])

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return [int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssFile", "RssAnon"))]

before, seen, done = resident(), [], threading.Event()

def watch():
    while not done.wait(0.002):
        seen.append(resident())

watcher = threading.Thread(target=watch)
watcher.start()
try:
    model = SoftmaxRegression(alpha=1.0, tol=0.05).fit(stored, y)
finally:
    done.set()
    watcher.join()
print(model.status_, *(max(now[kind] for now in seen) - before[kind] for kind in (0, 1)))
"""


def test_the_memory_of_a_fit_is_a_chunk_and_not_the_file(tmp_path):
    X, y = problem(np.uint8, 10_000, 600)
    np.save(tmp_path / "X.npy", np.tile(X, (25, 1)))
    np.save(tmp_path / "y.npy", np.tile(y, 25))
    process = forked(GROWTH, tmp_path, tmp_path / "X.npy", tmp_path / "y.npy")
    assert process.end() == 0, process.err.read_text()
    status, own, of_files = process.out.read_text().split()
    assert status == "converged"
    # pages of the file of 150 MB: a chunk of 17 MB, and of libraries that are first used
    assert 10_000_000 < int(of_files) < 40_000_000
    # the rows that the preconditioner is made of (10 MB, and 20 converted), what is held of each row, blocks
    assert int(own) < 110_000_000


class KilledError(Exception):
    """Stands for a signal, in a process that goes on."""


def killed_after(iterations, monkeypatch):
    keep = checkpoint.Checkpoint.keep

    def keep_and_die(self, state):
        keep(self, state)
        if self.iterations == iterations:
            raise KilledError

    monkeypatch.setattr(checkpoint.Checkpoint, "keep", keep_and_die)


@pytest.mark.parametrize(
    "settings",
    [
        {"solver": "lbfgs"},
        {"solver": "newton-cg"},
        {"solver": "proximal-newton", "l1_ratio": 0.5},
        {"solver": "proximal-gradient", "l1_ratio": 1.0},
        {"penalty": Sum([L1(0.05), L2(0.1)])},
        {"penalty": Sum([L1(0.05), L2(0.1)]), "solver": "primal-dual"},
        {"solver": "coordinate-descent", "l1_ratio": 1.0},
    ],
    ids=str,
)
def test_a_fit_that_was_killed_goes_on_to_the_same_bits(settings, tmp_path, monkeypatch):
    X, y = problem(np.float32, 600, 20)
    if settings.get("solver") == "coordinate-descent":
        X = csr_matrix(X * (X > 120))
    settings = {"alpha": 0.02, "tol": 1e-30, "max_iter": 9, **settings}
    with pytest.warns(match="after"):
        whole = SoftmaxRegression(**settings).fit(X, y)
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    path = tmp_path / "fit"
    with monkeypatch.context() as patch, pytest.raises(KilledError):
        killed_after(4, patch)
        SoftmaxRegression(**settings, checkpoint=path).fit(X, y)
    assert path.exists()
    with pytest.warns(match="after"):
        resumed = SoftmaxRegression(**settings, checkpoint=str(path)).fit(X, y)
    assert not path.exists()
    assert resumed.n_iter_ == whole.n_iter_ > 4
    np.testing.assert_array_equal(resumed.coef_, whole.coef_)
    np.testing.assert_array_equal(resumed.intercept_, whole.intercept_)


@pytest.mark.parametrize("settings", [{}, {"l1_ratio": 0.5}, {"penalty": Sum([L1(0.05), L2(0.1)])}], ids=str)
def test_a_file_killed_twice_some_iterations_after_its_last_state_gives_the_same_bits(
    settings, tmp_path, monkeypatch, small_chunks
):
    X, y = problem()
    stored = in_file(X, tmp_path / "X.npy")
    settings = {"alpha": 1e-3, "tol": 1e-30, "max_iter": 11, "temperature": 255.0, **settings}
    with pytest.warns(match="after"):
        whole = SoftmaxRegression(**settings).fit(stored, y)
    path, keep = tmp_path / "fit", checkpoint.Checkpoint.keep
    for kept_at, killed_at in ((2, 4), (5, 8)):

        def keep_one_and_die(self, state, kept_at=kept_at, killed_at=killed_at):
            checkpoint.SECONDS = 0.0 if self.iterations + 1 == kept_at else 1e9
            keep(self, state)
            if self.iterations == killed_at:
                raise KilledError

        with monkeypatch.context() as patch, pytest.raises(KilledError):
            patch.setattr(checkpoint, "SECONDS", 1e9)
            patch.setattr(checkpoint.Checkpoint, "keep", keep_one_and_die)
            SoftmaxRegression(**settings, checkpoint=path).fit(stored, y)
        assert checkpoint.Checkpoint(path, belongs_to(path)).iterations == kept_at
    with pytest.warns(match="after"):
        resumed = SoftmaxRegression(**settings, checkpoint=path).fit(stored, y)
    assert resumed.n_iter_ == whole.n_iter_ == 11
    np.testing.assert_array_equal(resumed.coef_, whole.coef_)
    np.testing.assert_array_equal(resumed.intercept_, whole.intercept_)


def belongs_to(path):
    with safe_open(path, framework="np") as stream:
        return json.loads(stream.metadata()["gradus"])["problem"]


def test_a_checkpoint_of_another_fit_is_refused(tmp_path, monkeypatch):
    X, y = problem(np.float32, 600, 20)
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    path = tmp_path / "fit"
    with monkeypatch.context() as patch, pytest.raises(KilledError):
        killed_after(2, patch)
        SoftmaxRegression(1e-3, checkpoint=path).fit(X, y)
    for other in (SoftmaxRegression(1e-2, checkpoint=path), SoftmaxRegression(1e-3, temperature=2.0, checkpoint=path)):
        with pytest.raises(InputError, match="belongs to a fit of other data or settings"):
            other.fit(X, y)
    with pytest.raises(InputError, match="belongs to a fit of other data or settings"):
        SoftmaxRegression(1e-3, checkpoint=path).fit(X + 1, y)
    with pytest.raises(InputError, match="is no folder"):
        SoftmaxRegression(checkpoint=tmp_path / "nowhere" / "fit").fit(X, y)
    assert SoftmaxRegression(1e-3, tol=1e-2, checkpoint=path).fit(X, y).status_ == "converged"


SCRIPT = """
import sys, time, numpy as np
from gradus import SoftmaxRegression
from gradus.solvers import checkpoint
from gradus.core import mapped
from gradus.estimators import starting, validation
checkpoint.SECONDS = 0.0
mapped.CHUNK_BYTES = validation.CHUNK_BYTES = 65536
folder, wait = sys.argv[1:]
X, y = np.load(folder + "/X.npy", mmap_mode="r"), np.load(folder + "/y.npy")
keep = checkpoint.Checkpoint.keep
def slowly(self, state):
    keep(self, state)
    print(self.iterations, flush=True)
    if wait == "wait" and self.iterations == 5:
        time.sleep(100)
checkpoint.Checkpoint.keep = slowly
model = SoftmaxRegression(1e-3, solver="lbfgs", tol=1e-6, checkpoint=folder + "/fit").fit(X, y)
np.savez(folder + "/done.npz", coef=model.coef_, iterations=model.n_iter_, gap=model.relative_gap_)
"""


def test_a_process_that_is_killed_for_good_loses_no_iteration(tmp_path):
    X, y = problem()
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", y)
    first = forked(SCRIPT, tmp_path, tmp_path, "wait")
    deadline = time.monotonic() + 100
    while len(first.out.read_text().splitlines()) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert first.kill() == -signal.SIGKILL
    assert first.out.read_text().split() == ["1", "2", "3", "4", "5"]
    assert (tmp_path / "fit").exists()
    second = forked(SCRIPT, tmp_path, tmp_path, "go")
    assert second.end() == 0, second.err.read_text()
    assert second.out.read_text().split()[0] == "6"
    done = np.load(tmp_path / "done.npz")
    assert done["gap"] <= 1e-6
    assert int(done["iterations"]) > 6
    assert not (tmp_path / "fit").exists()
    assert torch.isfinite(torch.from_numpy(done["coef"])).all()
