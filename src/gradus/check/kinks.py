"""At a kink any slope between the two sides is right: what a miss there has to show before it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradus.check.probe import Miss, Trial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradus.check.subject import Arrays

OUTPUTS, ENTRIES = 6, 12


def confirmed(trial: Trial, miss: Miss, generator: torch.Generator) -> tuple[Trial, Miss] | None:
    """Return a trial and a direction that prove a miss at a kink, or None where there is an excuse.

    A sum of kinks under upstreams of both signs has no two sides that bound it, so one entry of the output is looked at
    at a time: along single entries of the input, whose slopes must lie between the sides, and along all of them
    together, where equal entries stay equal and what one of them is given another must not be given too.
    """
    for upstreams in _single_outputs(trial.upstreams, generator):
        gradients = trial.subject.pullback(upstreams, trial.inputs)
        golden = trial.with_upstreams(tuple(u.double() for u in upstreams))
        single = Trial(trial.subject, trial.inputs, upstreams, golden, gradients)
        for direction in _directions(trial, miss, generator):
            found = single.miss(miss.which, miss.region, direction)
            if found is not None:
                return single, found
    return None


def _single_outputs(upstreams: Arrays, generator: torch.Generator) -> Iterator[Arrays]:
    for number, upstream in enumerate(upstreams):
        for position in torch.randperm(upstream.numel(), generator=generator)[:OUTPUTS].tolist():
            chosen = tuple(torch.zeros(u.shape, dtype=u.dtype) for u in upstreams)
            chosen[number].view(-1)[position] = 1.0
            yield chosen


def _directions(trial: Trial, miss: Miss, generator: torch.Generator) -> Iterator[Tensor]:
    shape = trial.inputs[miss.which].shape
    yield torch.ones(shape, dtype=torch.float64)
    support = miss.direction.ravel().nonzero()[:, 0]
    for place in torch.randperm(len(support), generator=generator)[:ENTRIES].tolist():
        direction = torch.zeros(shape, dtype=torch.float64)
        direction.view(-1)[support[place]] = 1.0
        yield direction
