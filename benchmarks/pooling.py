"""Pooling layers beside torch's: forward, and forward with backward, each into fresh memory."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numba
import torch
from torch.nn import functional

from benchmarks.measure import Findings, Table, Target, alternate, median
from gradus import layers

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
OTHERS: dict[str, Callable[[Tensor], Tensor]] = {
    "log-sum-exp": partial(layers.log_sum_exp_pool, geometry=WINDOWS),
    "SoftPool": partial(layers.soft_pool, geometry=WINDOWS),
    "GeM, exponent 3": partial(layers.gem_pool, power=torch.tensor([3.0]), geometry=WINDOWS),
    "stochastic": partial(layers.stochastic_pool, geometry=WINDOWS),
    "mixed": partial(layers.mixed_pool, share=torch.tensor([0.5]), geometry=WINDOWS),
    "gated": partial(layers.gated_pool, weights=torch.zeros(2, 2), geometry=WINDOWS),
}


def run() -> Findings:
    """Measure every layer."""
    x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0))
    rows, targets = [], []
    for name, (ours, theirs, wanted) in PEERS.items():
        found = _pair(x, ours, theirs)
        last = _forward(x.contiguous(memory_format=torch.channels_last), ours, theirs)
        rows.append([name, *found, *last])
        ratio = found[3] / found[2]
        targets.append(Target(f"{name}: {wanted} times faster forward and backward", ratio, ratio >= wanted))
        targets.append(Target(f"{name}: channels last within 10%", last[0] / last[1], last[0] <= 1.1 * last[1]))
    positive = x.abs_().add_(0.01)
    floor = median(alternate({"floor": lambda: _copied_back(positive)}, REPEATS)["floor"]) * 1e3
    others = []
    for name, layer in OTHERS.items():
        taken = median(alternate({name: partial(_both, positive.requires_grad_(), layer)}, REPEATS)[name]) * 1e3
        others.append([name, taken, taken / floor])
        targets.append(Target(f"{name}: within 3 times the floor", taken / floor, taken <= 3 * floor))
    return Findings(
        title="Pooling",
        conditions=(
            f"{SHAPE[0]} x {SHAPE[1]} x {SHAPE[2]} x {SHAPE[3]} float32, outputs and gradients in fresh memory.",
            f"Medians in ms of {REPEATS} calls in turns after one that is not counted.",
            f"torch and numba with {torch.get_num_threads()} and {numba.get_num_threads()} threads.",
            f"The floor, {floor:.1f} ms: torch reads the input, writes a quarter of it, reads that and writes it all.",
        ),
        tables=(
            Table(
                "Ours and torch's, ms",
                (
                    *("layer", "forward", "torch", "forward + backward", "torch"),
                    *("channels last, forward", "torch"),
                ),
                rows,
            ),
            Table("2x2 layers that torch lacks, ms", ("layer", "forward + backward", "times the floor"), others),
        ),
        targets=tuple(targets),
    )


def _pair(x: Tensor, ours: Callable[[Tensor], Tensor], theirs: Callable[[Tensor], Tensor]) -> list[float]:
    leaf = x.detach().requires_grad_()
    both = alternate({"ours": partial(_both, leaf, ours), "torch": partial(_both, leaf, theirs)}, REPEATS)
    return [*_forward(x, ours, theirs), *(median(taken) * 1e3 for taken in both.values())]


def _forward(x: Tensor, ours: Callable[[Tensor], Tensor], theirs: Callable[[Tensor], Tensor]) -> list[float]:
    x = x.detach()
    return [
        median(t) * 1e3 for t in alternate({"ours": partial(ours, x), "torch": partial(theirs, x)}, REPEATS).values()
    ]


def _both(x: Tensor, layer: Callable[[Tensor], Tensor]) -> Tensor:
    value = layer(x)
    return torch.autograd.grad(value, x, torch.ones_like(value))[0]


def _copied_back(x: Tensor) -> Tensor:
    small = x.detach()[:, :, ::2, ::2].clone() + x.detach().sum()
    return torch.nn.functional.interpolate(small, scale_factor=2)
