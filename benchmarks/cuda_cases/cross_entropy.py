"""The cross-entropy of many rows and its derivative on a GPU beside torch's: of logits, and of a linear model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import cross_entropy

from benchmarks.cuda_cases.case import Calls, Case
from gradus.kernels.softmax_residual import softmax_residual
from gradus.kernels.softmax_sweep import Labelled, Linear, loss_and_slopes

if TYPE_CHECKING:
    from torch import Tensor

ROWS, CLASSES, FEATURES = 1_281_167, 1_000, 384


def _labelled(generator: torch.Generator) -> Labelled:
    codes = torch.randint(CLASSES, (ROWS,), device="cuda", generator=generator)
    return Labelled(codes, torch.full((ROWS,), 1 / ROWS, device="cuda"))


def _of_logits() -> Calls:
    generator = torch.Generator("cuda").manual_seed(0)
    logits = torch.randn(ROWS, CLASSES, device="cuda", generator=generator)
    labelled, leaf = _labelled(generator), logits.detach().requires_grad_()

    def peer() -> Tensor:
        return torch.autograd.grad(cross_entropy(leaf, labelled.targets), leaf)[0]

    return Calls(lambda: softmax_residual(logits, *labelled), peer, 2.0 * logits.nbytes, row=3)


def _of_a_linear_model() -> Calls:
    generator = torch.Generator("cuda").manual_seed(0)
    matrix = torch.randn(ROWS, FEATURES, device="cuda", generator=generator)
    coefficients = torch.randn(FEATURES, CLASSES, device="cuda", generator=generator) / FEATURES**0.5
    linear, labelled = Linear(coefficients, torch.zeros(CLASSES, device="cuda")), _labelled(generator)
    leaves = tuple(part.detach().clone().requires_grad_() for part in linear)

    def peer() -> tuple[Tensor, ...]:
        return torch.autograd.grad(cross_entropy(torch.addmm(leaves[1], matrix, leaves[0]), labelled.targets), leaves)

    return Calls(lambda: loss_and_slopes(matrix, linear, labelled), peer, 0.0, row=1)


CASES = [
    Case(f"{ROWS:,} x {CLASSES:,} logits", "torch.autograd", _of_logits, 1.0),
    Case(f"{ROWS:,} x {FEATURES} features, {CLASSES:,} classes", "torch.autograd", _of_a_linear_model, 1.0),
]
