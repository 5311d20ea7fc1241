"""Top-k error: every k in one pass over the scores, beside what people use for one k."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np
import torch
from sklearn.metrics import top_k_accuracy_score
from torchmetrics.functional.classification import multiclass_accuracy

from benchmarks.measure import Findings, Table, Target, alternate, median
from gradus.metrics import top_k_errors

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS, CLASSES, LARGEST_K = 50_000, 1_000, 10
REPEATS = 21
SLOW_REPEATS = 3
SKLEARN_RATIO, TORCH_RATIO = 150.0, 6.0


def run() -> Findings:
    """Time k = 1..10 together against the peers' one k, on 50,000 x 1,000 scores."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, CLASSES, (ROWS,), generator=generator)
    scores = torch.randn(ROWS, CLASSES, generator=generator)
    scores[torch.arange(ROWS), labels] += 2.5  # top-1 error near 0.75, top-10 near 0.35
    error = float(top_k_errors(labels, scores, k=5).error[0])
    _agree(scores, labels, error)
    quick = _medians(alternate(_quick(scores, labels), REPEATS))
    slow = _medians(alternate(_slow(scores, labels), SLOW_REPEATS))
    names = {
        "gradus": "gradus `top_k_errors`, k = 1..10, intervals, per class and macro",
        "read": "the memory floor: `torch.sum` of the scores",
        "topk": "`torch.topk`, k = 10",
        "torchmetrics": "torchmetrics `multiclass_accuracy`, k = 5",
        "sklearn": "scikit-learn `top_k_accuracy_score`, k = 5",
    }
    rows = [[names[name], *figures] for name, figures in (*quick.items(), *slow.items())]
    kinds = [[name, median(taken) * 1e3] for name, taken in alternate(_kinds(scores, labels), REPEATS).items()]
    return Findings(
        title="Top-k error",
        conditions=(
            f"{ROWS:,} x {CLASSES:,} scores, float32 ({scores.nbytes / 1e6:.0f} MB), seed 0; top-5 error {error:.4f}.",
            f"Medians of calls in turns after one each that is not counted: {REPEATS} turns of gradus, the floor and "
            f"torch.topk, then {SLOW_REPEATS} turns of gradus, torchmetrics and scikit-learn; ratios are to gradus in "
            "the same turns.",
            f"torch and numba with {torch.get_num_threads()} and {numba.get_num_threads()} threads.",
            "The whole public call is timed: validation, counts, errors, intervals, per-class table.",
        ),
        tables=(
            Table("Ours and the peers", ("what", "ms", "times ours"), rows),
            Table("gradus by type and layout of the scores", ("scores", "ms"), kinds),
        ),
        targets=(
            _target("scikit-learn", SKLEARN_RATIO, slow["sklearn"][1]),
            _target("torch.topk", TORCH_RATIO, quick["topk"][1]),
        ),
        packages=("numpy", "numba", "torch", "scikit-learn", "torchmetrics"),
    )


def _medians(seconds: dict[str, list[float]]) -> dict[str, tuple[float, float]]:
    """Return the median of each in milliseconds, and as a multiple of ours."""
    ours = median(seconds["gradus"])
    return {name: (median(taken) * 1e3, median(taken) / ours) for name, taken in seconds.items()}


def _target(peer: str, promised: float, measured: float) -> Target:
    return Target(f"at least {promised:.0f} times faster than {peer}", measured, measured >= promised)


def _quick(scores: torch.Tensor, labels: torch.Tensor) -> dict[str, Callable[[], object]]:
    ks = range(1, LARGEST_K + 1)
    return {
        "gradus": lambda: top_k_errors(labels, scores, k=ks),
        "read": lambda: scores.sum(),
        "topk": lambda: torch.topk(scores, LARGEST_K),
    }


def _slow(scores: torch.Tensor, labels: torch.Tensor) -> dict[str, Callable[[], object]]:
    matrix, truth, classes = scores.numpy(), labels.numpy(), np.arange(CLASSES)
    ks = range(1, LARGEST_K + 1)
    return {
        "gradus": lambda: top_k_errors(labels, scores, k=ks),
        "torchmetrics": lambda: multiclass_accuracy(scores, labels, CLASSES, top_k=5, average="micro"),
        "sklearn": lambda: top_k_accuracy_score(truth, matrix, k=5, labels=classes),
    }


def _kinds(scores: torch.Tensor, labels: torch.Tensor) -> dict[str, Callable[[], object]]:
    ks = range(1, LARGEST_K + 1)
    calls: dict[str, Callable[[], object]] = {"the memory floor of float32: `torch.sum`": lambda: scores.sum()}
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        for layout in ("C", "Fortran"):
            matrix = scores.to(dtype) if layout == "C" else scores.to(dtype).T.contiguous().T
            name = f"{str(dtype).removeprefix('torch.')}, {layout} order"
            calls[name] = lambda matrix=matrix: top_k_errors(labels, matrix, k=ks)
    return calls


def _agree(scores: torch.Tensor, labels: torch.Tensor, error: float) -> None:
    """Raise unless the peer finds the same error: a fast wrong answer is no figure."""
    found = (torch.topk(scores, 5).indices == labels[:, None]).any(1).double().mean()
    if abs(1 - float(found) - error) > 1e-12:
        raise RuntimeError(f"torch.topk finds an error of {1 - float(found)}, gradus {error}")
