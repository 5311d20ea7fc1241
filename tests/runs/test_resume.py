"""A run that is killed at any moment goes on with the same command and ends with the same files."""

import json
import os
import signal
import subprocess
import sys
import time

import pyarrow.parquet as pq
import pytest

from gradus.runs.directory import MAP, METRICS, MODEL, PREDICTIONS, REPORT

ARGUMENTS = ["digits", "--sample", "300", "--map-iterations", "100", "--threads", "1"]
# A process that kills itself, as kill -9 would, when it is about to give its second finished file its name.
KILLED_AT_SECOND_FILE = """
import os, signal, sys
from pathlib import Path
from gradus.cli import main
replace, count = Path.replace, iter(range(100))
def replace_or_die(self, target):
    if next(count) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)
Path.replace = replace_or_die
sys.exit(main(sys.argv[1:]))
"""


def _run(out, code="import sys; from gradus.cli import main; sys.exit(main(sys.argv[1:]))"):
    command = [sys.executable, "-c", code, "run", *ARGUMENTS, "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nobody interrupted."""
    out = tmp_path_factory.mktemp("whole") / "run"
    done = _run(out)
    assert done.returncode == 0, done.stderr
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
    kills = 0
    while (done := _run(out, KILLED_AT_SECOND_FILE)).returncode == -signal.SIGKILL:
        kills += 1
        assert kills < 30
    assert done.returncode == 0, done.stderr
    assert kills >= 5
    _assert_same(out, whole)


@pytest.mark.parametrize("before", [None, "config.toml", MODEL, METRICS, MAP])
def test_killed_from_outside_while_a_step_works_and_resumed(before, whole, tmp_path):
    """Killed as soon as the file of the step before is there, so that the next step has just begun."""
    out = tmp_path / "run"
    process = subprocess.Popen([sys.executable, "-m", "gradus", "run", *ARGUMENTS, "--out", str(out)])
    deadline = time.monotonic() + 120
    while not (out / before if before else tmp_path).exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (out / REPORT).exists()
    assert _run(out).returncode == 0
    _assert_same(out, whole)


def test_a_finished_run_is_left_as_it_is(whole):
    before = {item.name: item.stat().st_mtime_ns for item in whole.iterdir()}
    assert _run(whole).returncode == 0
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
