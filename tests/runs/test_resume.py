"""A run that is killed at any moment goes on with the same command and ends with the same files."""

import json
import shutil
import signal
import time

import numpy as np
import pyarrow.parquet as pq
import pytest

from forked_process import forked
from gradus.cli import main
from gradus.runs.directory import CONFIG, MAP, METRICS, MODEL, PREDICTIONS, REPORT

ARGUMENTS = ["digits", "--sample", "300", "--map-iterations", "100", "--threads", "1"]
# A process that kills itself, as kill -9 would, when it is about to give its n-th file its name.
KILLED = """
import os, signal, sys
from pathlib import Path
from gradus.cli import main
replace, files = Path.replace, iter(range(1, 100))
def replace_or_die(self, target):
    if next(files) == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)
Path.replace = replace_or_die
sys.exit(main(sys.argv[2:]))
"""
# One process after the other on the same directory: killed at its n-th file, which is ...
KILLS = {
    "environment.json of the beginning": 1,
    "config.toml": 2,
    "model.safetensors": 3,
    "environment.json after the fit": 2,
    "metrics.json, between the two files of a step": 2,
    "environment.json after the evaluation": 3,
    "map.parquet, after the pictures of its step": 3,
    "environment.json after the map": 4,
    "environment.json after the report": 2,
}
NEVER = 1000


def _start(out, killed_at=NEVER):
    return forked(KILLED, out.parent, killed_at, "run", *ARGUMENTS, "--out", out)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nobody interrupted."""
    out = tmp_path_factory.mktemp("whole") / "run"
    process = _start(out)
    assert process.end() == 0, process.err.read_text()
    return out


def _assert_same(out, whole):
    for name in (METRICS, MODEL):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    for name in (PREDICTIONS, MAP):
        assert pq.read_table(out / name).equals(pq.read_table(whole / name))
    assert (out / REPORT).stat().st_size > 10_000
    assert not [item.name for item in out.iterdir() if item.name.startswith(".unfinished")]


def test_killed_before_every_file_and_resumed(whole, tmp_path):
    out = tmp_path / "run"
    for killed_at in KILLS.values():
        process = _start(out, killed_at)
        assert process.end() == -signal.SIGKILL, process.err.read_text()
    assert _start(out).end() == 0
    _assert_same(out, whole)


def test_killed_from_outside_in_each_step_and_resumed(whole, tmp_path):
    """Killed as soon as the file of the step before is there, so that the next step has just begun."""
    out = tmp_path / "run"
    for before in (CONFIG, MODEL, METRICS, MAP):
        process = _start(out)
        deadline = time.monotonic() + 120
        while not (out / before).exists() and time.monotonic() < deadline:
            time.sleep(0.002)
        assert process.kill() == -signal.SIGKILL
        assert not (out / REPORT).exists()
    assert _start(out).end() == 0
    _assert_same(out, whole)


def test_a_finished_run_is_left_as_it_is(whole):
    before = {item.name: item.stat().st_mtime_ns for item in whole.iterdir()}
    assert main(["run", *ARGUMENTS, "--out", str(whole)]) == 0
    assert {item.name: item.stat().st_mtime_ns for item in whole.iterdir()} == before


def test_the_metrics_say_what_the_documentation_lists(whole):
    metrics = json.loads((whole / METRICS).read_text())
    documented = {"rows", "classes", "interval", "top_k", "ties", "cross_entropy", "baseline", "per_class", "fit"}
    assert set(metrics) == documented
    assert metrics["rows"]["train"] + metrics["rows"]["test"] == 300
    assert [entry["k"] for entry in metrics["top_k"]] == list(range(1, 10))
    first = metrics["top_k"][0]
    assert first["low"] < first["error"] < first["high"] < metrics["baseline"]["error"]
    assert {"k", "error", "low", "high", "optimistic", "pessimistic", "macro", "macro_low", "macro_high"} <= set(first)
    assert sum(entry["rows"] for entry in metrics["per_class"]) == metrics["rows"]["test"]
    assert sum(entry["predicted"] for entry in metrics["per_class"]) == metrics["rows"]["test"]
    path = metrics["fit"]["path"]
    assert metrics["fit"]["alpha"] in [strength["alpha"] for strength in path]
    assert all(strength["relative_gap"] <= 1e-4 for strength in path)


def test_a_step_made_again_replaces_what_was_computed_from_it(whole, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(whole, out)
    assert main(["evaluate", str(out), "--overwrite"]) == 0
    assert (out / METRICS).read_bytes() == (whole / METRICS).read_bytes()
    assert not (out / REPORT).exists()
    assert main(["run", str(out)]) == 0
    _assert_same(out, whole)


def test_a_step_that_cannot_be_made_again_leaves_its_old_file(whole, tmp_path, capsys):
    out = tmp_path / "run"
    shutil.copytree(whole, out)
    (out / MODEL).write_bytes(b"damaged")
    assert main(["report", str(out), "--overwrite"]) == 2
    assert "not a classifier" in capsys.readouterr().err
    assert (out / REPORT).read_bytes() == (whole / REPORT).read_bytes()


def test_a_run_with_other_settings_or_other_data_is_not_continued(whole, tmp_path, capsys, monkeypatch):
    assert main(["run", *ARGUMENTS, "--alpha", "0.5", "--out", str(whole)]) == 2
    assert "fit.alpha auto -> 0.5" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    values = np.random.default_rng(0).normal(size=(60, 3))
    np.savez("data.npz", X=values, y=np.arange(60) % 2)
    assert main(["fit", "data.npz", "--out", "run"]) == 0
    np.savez("data.npz", X=values + 1, y=np.arange(60) % 2)
    capsys.readouterr()
    assert main(["evaluate", "run"]) == 2
    assert "is not what it was" in capsys.readouterr().err


def test_the_report_does_not_tell_where_the_files_were(whole, tmp_path):
    folder = tmp_path / "secret-folder"
    folder.mkdir()
    np.savez(folder / "data.npz", X=np.random.default_rng(0).normal(size=(60, 3)), y=np.arange(60) % 2)
    assert main(["run", str(folder / "data.npz"), "--out", str(tmp_path / "run"), "--map-iterations", "50"]) == 0
    page = (tmp_path / "run" / REPORT).read_text()
    assert "data.npz" in page
    assert "secret-folder" not in page
