"""Convolutions beside torch's: forward, and forward with the gradients of images and weights, into fresh memory."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn import functional

from benchmarks.measure import Findings, Table, Target, alternate, median, on_threads
from gradus import layers

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

REPEATS = 5
SAMPLES = 64
# the side of the matrices whose product tells how fast the machine multiplies
SIDE = 1024


class Case(NamedTuple):
    """A 3 x 3 convolution, padded by 1, and how much faster or slower than torch's it must be."""

    channels: int
    filters: int
    size: int
    wanted: float

    @property
    def name(self) -> str:
        """The case in words."""
        return f"{self.channels} -> {self.filters} at {self.size} x {self.size}"

    @property
    def products(self) -> float:
        """Floating-point operations of one of the three products."""
        return 2.0 * SAMPLES * self.channels * self.filters * 9 * self.size**2

    @property
    def moved(self) -> float:
        """Bytes read and written at least: images and outputs, and both again for the gradients."""
        return 4.0 * SAMPLES * self.size**2 * (2 * self.channels + 3 * self.filters)


CASES = (Case(1, 32, 28, 1.5), Case(3, 64, 32, 1.5), Case(64, 64, 56, 0.95), Case(128, 128, 28, 0.95))


def run() -> Findings:
    """Measure every case on one thread and on two."""
    tables, targets = [], []
    for threads in (1, 2):
        with on_threads(threads):
            rate, memory = _rates()
            rows = [_measured(case, rate, memory) for case in CASES]
        columns = ("channels", "forward", "torch", "forward + backward", "torch", "floor")
        title = f"3 x 3 on {threads} {'thread' if threads == 1 else 'threads'}, ms"
        tables.append(Table(f"{title}; {rate / 1e9:.0f} GFLOP/s, {memory / 1e9:.0f} GB/s", columns, rows))
    for case, row in zip(CASES, rows, strict=True):
        ratio = row[4] / row[3]
        promise = f"{case.name}: {case.wanted} times as fast as torch, forward and backward"
        targets.append(Target(promise, ratio, ratio >= case.wanted))
    return Findings(
        title="Convolution",
        conditions=(
            f"{SAMPLES} images, float32, 3 x 3 windows, padding 1, no bias; gradients of images and of weights.",
            f"Medians in ms of {REPEATS} calls in turns after one that is not counted.",
            "Floor of forward and backward: the longer of its arithmetic at the rate at which torch multiplies "
            f"matrices of {SIDE} x {SIDE}, and of its memory at the rate at which torch adds up 200 MB.",
        ),
        tables=tuple(tables),
        targets=tuple(targets),
    )


def _rates() -> tuple[float, float]:
    """Return floating-point operations and bytes a second."""
    matrix, line = torch.ones(SIDE, SIDE), torch.ones(50_000_000)
    taken = alternate({"product": lambda: matrix @ matrix, "sum": line.sum}, REPEATS)
    return 2.0 * SIDE**3 / median(taken["product"]), 4.0 * len(line) / median(taken["sum"])


def _measured(case: Case, rate: float, memory: float) -> list[object]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(SAMPLES, case.channels, case.size, case.size, generator=generator)
    weights = torch.randn(case.filters, case.channels, 3, 3, generator=generator)
    kinds = {"ours": layers.conv2d, "torch": functional.conv2d}
    forward = alternate({name: partial(kind, images, weights, padding=1) for name, kind in kinds.items()}, REPEATS)
    images.requires_grad_()
    weights.requires_grad_()
    both = alternate({name: partial(_both, images, weights, kind) for name, kind in kinds.items()}, REPEATS)
    floor = max(3 * case.products / rate, case.moved / memory) * 1e3
    return [case.name, *(median(t) * 1e3 for t in (*forward.values(), *both.values())), floor]


def _both(images: Tensor, weights: Tensor, convolve: Callable[..., Tensor]) -> tuple[Tensor, ...]:
    value = convolve(images, weights, padding=1)
    return torch.autograd.grad(value, (images, weights), torch.ones_like(value))
