"""A fit of 12 GB in a file within 3 GB of memory, killed half-way and taken up again.

``python -m benchmarks.out_of_core FOLDER`` is the process that is watched and killed: it fits what lies in the folder.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from safetensors import safe_open

from benchmarks.data import cifar, mnist_or_digits
from benchmarks.measure import Findings, Table, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import DTypeLike, NDArray

SIDE, CHANNELS = 32, 3
FEATURES = CHANNELS * SIDE * SIDE
SHIFT = 3
# rows for 12.3 GB of bytes, and for half a gigabyte to compare bits with
ROWS, FEW = 4_000_000, 160_000
ALPHA, TOLERANCE = 1e-3, 1e-3
# of the few rows, where there is time for more
STRICT = 1e-5
LIMIT = 3e9
BUFFER = 67_108_864


class Watched(NamedTuple):
    """What the parent saw of a process, in bytes, and what the process told at its end; nothing if it was killed."""

    seconds: float
    high_water: int
    anonymous: int
    of_files: int
    read: int
    told: dict[str, Any]


def run() -> Findings:
    """Fit the small file three times over, then the large one: whole, and killed half-way and resumed."""
    with tempfile.TemporaryDirectory() as place:
        small = [compared(Path(place), kind) for kind in (np.uint8, np.float16)]
        folder, made = Path(place) / "large", time.perf_counter()
        size = generate(folder, ROWS, np.uint8)
        made = time.perf_counter() - made
        read = reading(folder / "X.npy")
        whole = watched(folder, TOLERANCE)
        killed, resumed = killed_and_resumed(folder, TOLERANCE, whole.told["iterations"] // 2)
        same = equal(whole, resumed)
        # where bits differ, a second fit from the same state tells whether the state or the fit is to blame
        again = resumed_again(folder, TOLERANCE) if same else None
    rows = [row for found in small for row in found[1]]
    title = f"{ROWS:,} x {FEATURES:,} uint8, {size / 1e9:.1f} GB"
    rows += rows_of(title, whole, killed, resumed)
    rows += [] if again is None else [row_of(title, "resumed once more", again)]
    largest = max(fit.high_water for fit in (whole, killed, resumed))
    gap = resumed.told["gap"]
    return Findings(
        title="Larger than memory",
        conditions=[
            "Rows of pixels: CIFAR-10's training images, shifted, mirrored and of changed contrast and brightness "
            "(the digits, enlarged, where CIFAR-10 is not at hand); 10 classes; the file is written in "
            f"{made:.0f} s as it is generated, and deleted afterwards.",
            f"SoftmaxRegression(alpha={ALPHA:g}, temperature=255 for bytes, checkpoint=...) on np.load(path, "
            'mmap_mode="r"), in a process of its own that is killed with SIGKILL and begun again.',
            f"Reading the large file once takes {read:.1f} s ({size / 1e9 / read:.1f} GB/s); the system may keep pages "
            "of it in its cache beyond what the process holds, as it does for every file.",
            "high water: VmHWM of the process, the most that it ever held resident, by the kernel's own count, with "
            "Python, torch, every page of the file that was mapped at the time, and libraries; of which anonymous "
            "(RssAnon: its own numbers) and of files (RssFile) at most, looked at every 20 ms.",
            "read: bytes that came from the disk and not from the system's cache (read_bytes of /proc/PID/io).",
        ],
        tables=[Table("Fits", COLUMNS, rows)],
        targets=[
            Target("12 GB: most resident memory at most 3 GB", largest / 1e9, largest <= LIMIT),
            Target(f"12 GB: killed and resumed, relative gap at most {TOLERANCE:g}", gap, gap <= TOLERANCE),
            Target("12 GB: bits that differ from those of the whole run", same, same == 0),
            *([] if again is None else [once_more(whole, again)]),
            *(target for found in small for target in found[0]),
        ],
    )


COLUMNS = (
    *("file", "process", "seconds", "high water, GB", "anonymous, GB", "of files, GB", "read, GB", "status"),
    *("iterations", "objective", "gap"),
)


def compared(place: Path, kind: DTypeLike) -> tuple[list[Target], list[list[Any]]]:
    """Fit few rows whole, killed and resumed, and in memory; return what was promised and rows of the table."""
    name = np.dtype(kind).name
    folder = place / name
    size = generate(folder, FEW, kind)
    whole = watched(folder, STRICT)
    killed, resumed = killed_and_resumed(folder, STRICT, whole.told["iterations"] // 2)
    memory = watched(folder, STRICT, "memory")
    (folder / "X.npy").unlink()
    apart = abs(resumed.told["objective"] / memory.told["objective"] - 1)
    title = f"{FEW:,} x {FEATURES:,} {name}, {size / 1e9:.1f} GB"
    rows = [*rows_of(title, whole, killed, resumed), row_of(title, "the same in memory", memory)]
    differ = equal(whole, resumed)
    return [
        Target(f"{name}, {size / 1e9:.1f} GB: bits that differ from those of the whole run", differ, differ == 0),
        Target(f"{name}: objective as in memory, relative, within {STRICT:g}", apart, apart <= STRICT),
    ], rows


def rows_of(title: str, whole: Watched, killed: Watched, resumed: Watched) -> list[list[Any]]:
    """Return the rows of a run and of one in two parts."""
    names = ("whole", "killed half-way", "resumed")
    return [row_of(title, name, fit) for name, fit in zip(names, (whole, killed, resumed), strict=True)]


def row_of(title: str, process: str, fit: Watched) -> list[Any]:
    """Return one row of the table."""
    told = fit.told or {"status": "killed", "iterations": "", "objective": "", "gap": ""}
    memory = [round(size / 1e9, 2) for size in (fit.high_water, fit.anonymous, fit.of_files, fit.read)]
    objective = f"{told['objective']:.8f}" if fit.told else ""
    return [title, process, round(fit.seconds, 1), *memory, told["status"], told["iterations"], objective, told["gap"]]


def equal(whole: Watched, resumed: Watched) -> int:
    """Return how many of the coefficients' bits differ."""
    bits = [np.frombuffer(bytes.fromhex(fit.told["coefficients"]), np.uint8) for fit in (whole, resumed)]
    return int(np.unpackbits(bits[0] ^ bits[1]).sum())


def killed_and_resumed(folder: Path, tolerance: float, after: int) -> tuple[Watched, Watched]:
    """Kill a fit whose checkpoint holds ``after`` iterations or more, and begin it again."""
    killed = watched(folder, tolerance, kill_after=after)
    if killed.told:
        raise SystemExit("the fit was done before it was killed")
    shutil.copy(folder / "fit", folder / "state")
    return killed, watched(folder, tolerance)


def resumed_again(folder: Path, tolerance: float) -> Watched:
    """Begin the fit that was killed last once more from the state that it left."""
    shutil.copy(folder / "state", folder / "fit")
    return watched(folder, tolerance)


def once_more(whole: Watched, again: Watched) -> Target:
    """Return what a second fit from the state that was kept says of it."""
    differ = equal(whole, again)
    return Target(
        "12 GB: bits of a second fit from the same state that differ from the whole run's", differ, differ == 0
    )


def watched(folder: Path, tolerance: float, where: str = "file", kill_after: float = np.inf) -> Watched:
    """Run a fit in a process of its own, watch its memory, and kill it once its checkpoint is far enough."""
    command = [sys.executable, "-m", "benchmarks.out_of_core", str(folder), str(tolerance), where]
    begun, most = time.perf_counter(), dict.fromkeys(("VmHWM", "RssAnon", "RssFile", "read_bytes"), 0)
    told = folder / "told.json"
    told.unlink(missing_ok=True)
    with subprocess.Popen(command) as child:
        while child.poll() is None:
            for name, size in held(child.pid).items():
                most[name] = max(most[name], size)
            if kept(folder / "fit") >= kill_after:
                child.send_signal(signal.SIGKILL)
                break
            time.sleep(0.02)
    if child.returncode not in (0, -signal.SIGKILL):
        raise SystemExit(f"the fit ended with code {child.returncode}")
    found = json.loads(told.read_text(encoding="utf-8")) if told.exists() else {}
    return Watched(time.perf_counter() - begun, *most.values(), told=found)


def kept(checkpoint: Path) -> int:
    """Return the iterations after which the state in the file was written, 0 where there is none."""
    if not checkpoint.exists():
        return 0
    try:
        with safe_open(checkpoint, framework="np") as stream:
            return int(json.loads(stream.metadata()["gradus"])["iterations"])
    except FileNotFoundError:  # the fit has just ended
        return 0


def held(pid: int) -> dict[str, int]:
    """Return the process's most resident memory so far, its own and mapped pages now, and what it read from disk."""
    found = {}
    try:
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(("VmHWM", "RssAnon", "RssFile")):
                found[line.split(":")[0]] = 1024 * int(line.split()[1])
        for line in Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines():
            if line.startswith("read_bytes"):
                found["read_bytes"] = int(line.split()[1])
    except (OSError, ProcessLookupError):  # it has just ended
        return found
    return found


def generate(folder: Path, rows: int, kind: DTypeLike) -> int:
    """Write X.npy and y.npy as they are made, and return the bytes of X."""
    folder.mkdir()
    labels, kind = [], np.dtype(kind)
    about = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": (rows, FEATURES)}
    with (folder / "X.npy").open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, about)
        for pixels, classes in blocks(rows):
            made = pixels if kind == np.uint8 else (pixels / np.float32(255)).astype(kind)
            stream.write(made.data)
            labels.append(classes)
        stream.flush()
        os.fsync(stream.fileno())
    np.save(folder / "y.npy", np.concatenate(labels))
    return rows * FEATURES * kind.itemsize


def blocks(count: int) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Yield ``count`` images (images, 3,072) and their classes: each block all images, moved, mirrored and relit."""
    pixels, classes = images()
    framed = np.pad(pixels, ((0, 0), (0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)), mode="edge")
    generator = np.random.default_rng(0)
    for start in range(0, count, len(pixels)):
        down, right = generator.integers(0, 2 * SHIFT + 1, 2)
        moved = framed[: count - start, :, down : down + SIDE, right : right + SIDE]
        moved = moved[..., ::-1] if generator.random() < 0.5 else moved
        light = generator.uniform(0.7, 1.3) * (np.arange(256) - 127.5) + 127.5 + generator.uniform(-25, 25)
        table = np.clip(np.rint(light), 0, 255).astype(np.uint8)
        yield table[moved.reshape(len(moved), FEATURES)], classes[: count - start]


def images() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return bytes (images, channels, side, side) and classes."""
    found = cifar()
    if found is not None:
        rows = np.rint(found.X * 255).astype(np.uint8).reshape(-1, SIDE, SIDE, CHANNELS)
        return np.ascontiguousarray(rows.transpose(0, 3, 1, 2)), found.y
    small = mnist_or_digits()
    side = round(small.X.shape[1] ** 0.5)
    at = np.arange(SIDE) * side // SIDE
    rows = np.rint(small.X * 255).astype(np.uint8).reshape(-1, 1, side, side)[:, :, at][:, :, :, at]
    return np.repeat(rows, CHANNELS, axis=1), small.y


def reading(path: Path) -> float:
    """Return the seconds of reading a file once, with nothing of it in the system's cache where it can be dropped."""
    with path.open("rb", buffering=0) as stream:
        if sys.platform == "linux":
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        begun, buffer = time.perf_counter(), bytearray(BUFFER)
        while stream.readinto(buffer):
            pass
    return time.perf_counter() - begun


def fit(folder: Path, tolerance: float, where: str) -> dict[str, Any]:
    """Fit what lies in the folder, through the public estimator, and return what is to be told."""
    from gradus import SoftmaxRegression
    from gradus.solvers import checkpoint

    X, y = np.load(folder / "X.npy", mmap_mode="r"), np.load(folder / "y.npy")
    if where == "memory":
        X = np.array(X)
    if len(y) == FEW:
        checkpoint.SECONDS = 0.0
    scale = 255.0 if X.dtype == np.uint8 else 1.0
    model = SoftmaxRegression(ALPHA, temperature=scale, tol=tolerance, checkpoint=folder / "fit").fit(X, y)
    return {
        "status": model.status_,
        "iterations": model.n_iter_,
        "objective": model.objective_,
        "gap": model.relative_gap_,
        "coefficients": np.vstack([model.coef_.T, model.intercept_]).tobytes().hex(),
    }


if __name__ == "__main__":
    place, tolerance, where = sys.argv[1:]
    told = fit(Path(place), float(tolerance), where)
    (Path(place) / "told.json").write_text(json.dumps(told), encoding="utf-8")
