"""A peer's fit in a process of its own, which is ended when it has had its time: some would take many minutes.

``python -m benchmarks.capped FOLDER PLACE CONTEST PEER`` is that process: it fits X.npy and y.npy of the folder.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.data import Pixels

# a process needs so long for its imports, at most
START = 60.0


class Published(NamedTuple):
    """What a fit took, and published; no weights if it was ended."""

    seconds: float
    iterations: int
    W: NDArray[np.floating] | None
    b: NDArray[np.floating] | None


def published(place: Pixels, contest: str, peer: str, cap: float) -> Published:
    """Return what the peer's fit of a contest published, or that it had none after ``cap`` seconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "X.npy", place.X)
        np.save(folder / "y.npy", place.y)
        command = [sys.executable, "-m", "benchmarks.capped", name, place.name, contest, peer]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
            wait_for(folder / "begun", child, START)
            seconds = wait_for(folder / "done.npz", child, cap)
            child.kill()
        if not (folder / "done.npz").exists():
            return Published(seconds, 0, None, None)
        with np.load(folder / "done.npz") as done:
            return Published(float(done["seconds"]), int(done["iterations"]), done["W"], done["b"])


def wait_for(path: Path, child: subprocess.Popen[bytes], limit: float) -> float:
    """Wait until the file is there, at most ``limit`` seconds, and return how long that was.

    Raises
    ------
    SystemExit : if the process ended without it
    """
    begun = time.perf_counter()
    while not path.exists() and time.perf_counter() - begun < limit:
        if child.poll() is not None and not path.exists():
            raise SystemExit(f"{child.args!r} ended with code {child.returncode}")
        time.sleep(0.01)
    return time.perf_counter() - begun


def main(folder: Path, place_name: str, title: str, peer: str) -> None:
    """Fit, and write what was published whole or not at all."""
    from benchmarks.data import Pixels
    from benchmarks.softmax_regression import contests

    place = Pixels(place_name, np.load(folder / "X.npy"), np.load(folder / "y.npy"))
    model = next(contest for contest in contests(place) if contest.title == title).peers[peer]()
    warnings.simplefilter("ignore")
    (folder / "begun").touch()
    begun = time.perf_counter()
    model.fit(place.X, place.y)
    seconds = time.perf_counter() - begun
    W, iterations = np.asarray(model.coef_), int(np.max(getattr(model, "n_iter_", 0)))
    W = W.T if W.shape[1] == place.X.shape[1] else W
    np.savez(folder / "unfinished.npz", seconds=seconds, iterations=iterations, W=W, b=np.ravel(model.intercept_))
    (folder / "unfinished.npz").rename(folder / "done.npz")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
