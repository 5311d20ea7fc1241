"""A run of a table that stays in its file: the classifier of a run in memory, and a kill in the middle of the fit."""

import json
import signal

import numpy as np
import pyarrow.parquet as pq
import pytest
import scipy.special
from sklearn.metrics import log_loss

from forked_process import forked
from gradus.cli import main
from gradus.core import mapped
from gradus.core.errors import InputError
from gradus.data import read
from gradus.data.options import ReadOptions
from gradus.data.readers import array_source
from gradus.estimators import validation
from gradus.runs import on_disk
from gradus.runs.directory import CHECKPOINT, METRICS, MODEL, PREDICTIONS
from gradus.runs.model import load

CHUNK = 65_536
# A process with small limits that keeps its fit after every iteration, says which it was, and can die of it.
PATIENT = f"""
import os, signal, sys
from gradus.cli import main
from gradus.core import mapped
from gradus.data.readers import array_source
from gradus.estimators import validation
from gradus.solvers import checkpoint
mapped.CHUNK_BYTES = validation.CHUNK_BYTES = array_source.LARGE_BYTES = {CHUNK}
checkpoint.SECONDS = 0.0
keep = checkpoint.Checkpoint.keep
def keep_and_tell(self, state):
    keep(self, state)
    print("iteration", self.iterations, file=sys.stderr, flush=True)
    if self.iterations == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
checkpoint.Checkpoint.keep = keep_and_tell
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table of bytes with its labels."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    y = generator.integers(0, 4, 3000)
    X = np.clip(generator.integers(100, 130, (4, 40))[y] + 60 * generator.standard_normal((3000, 40)), 0, 255)
    np.save(folder / "X.npy", X.astype(np.uint8))
    np.save(folder / "y.npy", y)
    return folder


@pytest.fixture
def small_limits(monkeypatch):
    for module, name in ((mapped, "CHUNK_BYTES"), (validation, "CHUNK_BYTES"), (array_source, "LARGE_BYTES")):
        monkeypatch.setattr(module, name, CHUNK)


def command(folder, out, *more):
    return ["fit", str(folder / "X.npy"), "--labels", str(folder / "y.npy"), "--out", str(out), *more]


def test_a_large_table_stays_in_its_file_and_keeps_its_bytes(folder, small_limits):
    dataset = read(folder / "X.npy", ReadOptions(labels=folder / "y.npy"))
    assert dataset.on_disk
    assert dataset.features.dtype == np.uint8
    assert any("stay in their file" in note for note in dataset.notes)
    sampled = read(folder / "X.npy", ReadOptions(labels=folder / "y.npy", sample=200))
    assert not sampled.on_disk
    assert sampled.features.dtype == np.float32


@pytest.mark.parametrize("more", [["--alpha", "0.5"], ["--alpha", "0.5", "--l1-ratio", "1"]], ids=" ".join)
def test_the_classifier_is_that_of_a_run_in_memory(more, folder, tmp_path, monkeypatch, small_limits, capsys):
    more = [*more, "--tol", "1e-6"]
    assert main(command(folder, tmp_path / "disk", *more)) == 0
    assert not (tmp_path / "disk" / CHECKPOINT).exists()
    assert main(["evaluate", str(tmp_path / "disk")]) == 0
    monkeypatch.setattr(array_source, "LARGE_BYTES", 1 << 40)
    assert main(command(folder, tmp_path / "memory", *more)) == 0
    assert main(["evaluate", str(tmp_path / "memory")]) == 0
    capsys.readouterr()
    there, here = (load(tmp_path / name / MODEL).record for name in ("disk", "memory"))
    assert there.status == here.status == "converged"
    assert there.train_rows == here.train_rows == 2400
    one, two = (json.loads((tmp_path / name / METRICS).read_text()) for name in ("disk", "memory"))
    assert one["cross_entropy"] == pytest.approx(two["cross_entropy"], rel=1e-3)
    assert one["rows"] == two["rows"]
    assert objective(tmp_path / "disk", folder) == pytest.approx(objective(tmp_path / "memory", folder), rel=3e-6)


def objective(directory, folder):
    """What the fit in a run directory minimised, in float64, from its files."""
    model, predictions = load(directory / MODEL), pq.read_table(directory / PREDICTIONS)
    rows = np.array(predictions["split"].to_pylist()) == "train"
    X, y = np.load(folder / "X.npy")[rows].astype(np.float64), np.load(folder / "y.npy")[rows]
    W = model.coef.astype(np.float64)
    loss = log_loss(y, scipy.special.softmax(X @ W.T + model.intercept, axis=1))
    ratio, alpha = model.record.l1_ratio, model.record.alpha
    return loss + alpha * ((1 - ratio) / 2 * (W**2).sum() + ratio * np.abs(W).sum())


def test_the_strength_is_chosen_on_a_sample(folder, tmp_path, monkeypatch, small_limits, capsys):
    monkeypatch.setattr(on_disk, "SAMPLE_NUMBERS", 40 * 600)
    assert main(command(folder, tmp_path / "run", "--alphas", "4")) == 0
    capsys.readouterr()
    record = load(tmp_path / "run" / MODEL).record
    assert record.train_rows == 2400
    assert record.validation_rows == 120
    assert record.alpha in [point.alpha for point in record.path]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fit", "--scale", "standard"], "large and stays on disk, where features are used as they are"),
        (["run"], "a map needs its rows in memory: give --sample"),
        (["map"], "a map needs its rows in memory: give --sample"),
    ],
)
def test_what_needs_memory_is_refused(arguments, sentence, folder, tmp_path, small_limits, capsys):
    step, *more = arguments
    assert main([step, *command(folder, tmp_path / "run", *more)[1:]]) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())


def test_numbers_that_are_not_finite_are_found_in_a_file(tmp_path, small_limits):
    X = np.ones((3000, 40), np.float16)
    X[2900, 7] = np.inf
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", np.arange(3000) % 2)
    with pytest.raises(InputError, match=r"2900.*column 7 .*is inf"):
        read(tmp_path / "X.npy", ReadOptions(labels=tmp_path / "y.npy"))


def test_a_fit_that_was_killed_goes_on_with_the_same_command(folder, tmp_path):
    out = tmp_path / "run"
    arguments = command(folder, out, "--alpha", "0.01", "--tol", "1e-6", "--threads", "1")

    def ended(killed_at):
        process = forked(PATIENT, tmp_path, killed_at, *arguments)
        code, said = process.end(), process.err.read_text()
        return code, said, [int(line.split()[1]) for line in said.splitlines() if line.startswith("iteration ")]

    code, said, iterations = ended(2)
    assert code == -signal.SIGKILL, said
    assert iterations == [1, 2]
    assert (out / CHECKPOINT).exists()
    assert not (out / MODEL).exists()
    code, said, iterations = ended(100)
    assert code == 0, said
    assert iterations[0] == 3
    assert not (out / CHECKPOINT).exists()
    assert load(out / MODEL).record.iterations == iterations[-1]
