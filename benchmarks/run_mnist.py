"""``gradus run`` on MNIST's 70,000 rows: what a person waits for, and what they get."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.measure import Findings, Table, Target

MNIST = Path(__file__).parents[1] / ".." / "shared" / "data" / "mnist.npz"
# Chromium on its own: no accelerator, nothing of its own that goes to the network.
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")


def run() -> Findings:
    """Run the command in a process of its own, then open its report in a browser without WebGL."""
    if not MNIST.exists():
        raise SystemExit("run_mnist needs ../shared/data/mnist.npz")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        start = time.perf_counter()
        command = ["run", str(MNIST.resolve()), "--model", "softmax", "--out", str(out)]
        subprocess.run([sys.executable, "-m", "gradus", *command], check=True)
        total = time.perf_counter() - start
        metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
        steps = json.loads((out / "environment.json").read_text(encoding="utf-8"))["steps"]
        size = (out / "report.html").stat().st_size / 1e6
        ready, requests = open_report(out / "report.html")
    error = metrics["top_k"][0]
    rows = [(step, taken["seconds"]) for step, taken in steps.items()]
    return Findings(
        title="gradus run on MNIST",
        conditions=[
            "60,000 training and 10,000 test rows of 784 pixels; every option at its default; one run",
            "the browser is headless Chromium without WebGL; ready means that the map has been painted",
        ],
        tables=[
            Table("Seconds", ("step", "seconds"), [*rows, ("all, with start-up and reading", round(total, 1))]),
            Table(
                "Outcome",
                ("figure", "value"),
                [
                    ("top-1 error", error["error"]),
                    ("its interval, low", error["low"]),
                    ("its interval, high", error["high"]),
                    ("alpha", metrics["fit"]["alpha"]),
                    ("relative duality gap", metrics["fit"]["relative_gap"]),
                    ("report, MB", round(size, 2)),
                    ("report ready, s", round(ready, 2)),
                    ("network requests", requests),
                ],
            ),
        ],
        targets=[
            Target("top-1 error at most 0.080", error["error"], error["error"] <= 0.080),
            Target("report at most 25 MB", round(size, 2), size <= 25),
            Target("report ready within 5 s", round(ready, 2), ready <= 5),
            Target("no network request", requests, requests == 0),
        ],
        packages=("torch", "numba", "bokeh", "playwright"),
    )


def open_report(path: Path) -> tuple[float, int]:
    """Return the seconds until the map is painted, and how many requests were not for the file itself."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("run_mnist needs Chromium")
    outside: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(FLAGS))
        page = browser.new_page()
        page.on("request", lambda request: outside.append(request.url))
        start = time.perf_counter()
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-map=ready]", state="attached")
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        ready = time.perf_counter() - start
        browser.close()
    return ready, sum(not url.startswith(("file:", "data:", "blob:")) for url in outside)
