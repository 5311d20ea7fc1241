"""Pooling layers beside torch's: forward, and forward with backward, each into fresh memory."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from benchmarks.measure import Findings, Table, Target, alternate, median, on_threads
from gradus import layers
from gradus.kernels.large_pages import in_large_pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

SHAPE = (64, 64, 56, 56)
REPEATS = 7
WINDOWS = layers.windows(2, 2)
# name: ours, torch's, and how many times faster forward + backward must be
PEERS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor], float]] = {
    "max 2x2": (partial(layers.max_pool2d, kernel_size=2), partial(functional.max_pool2d, kernel_size=2), 3),
    "max 3x3, stride 2": (
        partial(layers.max_pool2d, kernel_size=3, stride=2),
        partial(functional.max_pool2d, kernel_size=3, stride=2),
        3,
    ),
    "average 2x2": (partial(layers.avg_pool2d, kernel_size=2), partial(functional.avg_pool2d, kernel_size=2), 2),
    "average 3x3, stride 2": (
        partial(layers.avg_pool2d, kernel_size=3, stride=2),
        partial(functional.avg_pool2d, kernel_size=3, stride=2),
        2,
    ),
    "L2 2x2": (
        partial(layers.lp_pool2d, norm_type=2, kernel_size=2),
        partial(functional.lp_pool2d, norm_type=2.0, kernel_size=2),
        5,
    ),
    "adaptive max to 7x7": (
        partial(layers.adaptive_max_pool, output_size=7, axes=2),
        partial(functional.adaptive_max_pool2d, output_size=7),
        2,
    ),
    "adaptive average to 7x7": (
        partial(layers.adaptive_average_pool, output_size=7, axes=2),
        partial(functional.adaptive_avg_pool2d, output_size=7),
        0.95,
    ),
}


def others(device: str) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return the layers that torch lacks, what they are set to on a device."""
    power, share = torch.tensor([3.0], device=device), torch.tensor([0.5], device=device)
    gate, filters = torch.zeros(2, 2, device=device), torch.full((2, 2), 0.25, device=device)
    return {
        "min": partial(layers.min_pool, geometry=WINDOWS),
        "log-sum-exp": partial(layers.log_sum_exp_pool, geometry=WINDOWS),
        "SoftPool": partial(layers.soft_pool, geometry=WINDOWS),
        "GeM, exponent 3": partial(layers.gem_pool, power=power, geometry=WINDOWS),
        "stochastic": partial(layers.stochastic_pool, geometry=WINDOWS),
        "stochastic, its mean": partial(layers.stochastic_mean_pool, geometry=WINDOWS),
        "mixed": partial(layers.mixed_pool, share=share, geometry=WINDOWS),
        "gated": partial(layers.gated_pool, weights=gate, geometry=WINDOWS),
        "weighted": partial(layers.weighted_pool, weights=filters, geometry=WINDOWS),
        "median": layers.MedianPool2d(2).to(device),
    }


def run() -> Findings:
    """Measure every layer: those that torch has on one thread and on two, the others on two."""
    x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0))
    tables, targets = [], []
    for threads in (1, 2):
        with on_threads(threads):
            rows = [[name, *_pair(x, ours, theirs)] for name, (ours, theirs, _) in PEERS.items()]
        columns = ("layer", "forward", "torch", "forward + backward", "torch", "channels last, forward", "torch")
        tables.append(
            Table(f"Ours and torch's on {threads} {'thread' if threads == 1 else 'threads'}, ms", columns, rows)
        )
    for name, *found in rows:
        wanted, ratio = PEERS[name][2], found[3] / found[2]
        targets.append(Target(f"{name}: {wanted} times faster forward and backward", ratio, ratio >= wanted))
        last = found[4] / found[5]
        targets.append(Target(f"{name}: channels last within 10%", last, last <= 1.1))
    leaf = x.abs_().add_(0.01).requires_grad_()
    calls = {"floor": partial(_at_the_floor, leaf.detach())}
    calls |= {name: partial(_both, leaf, layer) for name, layer in others("cpu").items()}
    with on_threads(2):
        taken = {name: median(seconds) * 1e3 for name, seconds in alternate(calls, REPEATS).items()}
    floor = taken.pop("floor")
    found = [[name, each, each / floor] for name, each in taken.items()]
    targets += [Target(f"{name}: within 3 times the floor", times, times <= 3) for name, _, times in found]
    title = "2x2 layers that torch lacks on 2 threads, ms"
    tables.append(Table(title, ("layer", "forward + backward", "times the floor"), found))
    return Findings(
        title="Pooling",
        conditions=(
            f"{SHAPE[0]} x {SHAPE[1]} x {SHAPE[2]} x {SHAPE[3]} float32, outputs and gradients in fresh memory.",
            f"Medians in ms of {REPEATS} calls in turns after one that is not counted.",
            f"The floor, {floor:.1f} ms: torch reads the input, writes a quarter of it, reads that, and writes as much "
            "as the input, into memory that is new and asked for in large pages, as ours is.",
        ),
        tables=tuple(tables),
        targets=tuple(targets),
    )


def _pair(x: Tensor, ours: Callable[[Tensor], Tensor], theirs: Callable[[Tensor], Tensor]) -> list[float]:
    leaf, last = x.detach().requires_grad_(), x.contiguous(memory_format=torch.channels_last)
    both = alternate({"ours": partial(_both, leaf, ours), "torch": partial(_both, leaf, theirs)}, REPEATS)
    middle = [median(taken) * 1e3 for taken in both.values()]
    return [*_forward(x, ours, theirs), *middle, *_forward(last, ours, theirs)]


def _forward(x: Tensor, ours: Callable[[Tensor], Tensor], theirs: Callable[[Tensor], Tensor]) -> list[float]:
    taken = alternate({"ours": partial(ours, x), "torch": partial(theirs, x)}, REPEATS)
    return [median(seconds) * 1e3 for seconds in taken.values()]


def _both(x: Tensor, layer: Callable[[Tensor], Tensor]) -> Tensor:
    value = layer(x)
    return torch.autograd.grad(value, x, torch.ones_like(value))[0]


def _at_the_floor(x: Tensor) -> Tensor:
    value = torch.empty(*x.shape[:2], x.shape[2] // 2, x.shape[3] // 2).fill_(x.sum().item())
    return in_large_pages(torch.empty(x.shape)).fill_(value.sum().item())
