"""From a direction that is off to the entries that are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from gradus.check.probe import Miss, Trial

# up to here every entry is looked at; of larger inputs a sample
FEW = 512
SAMPLE, LARGE_SAMPLE, LARGE = 96, 24, 50_000


class Evidence(NamedTuple):
    """Entries of one gradient: where (flat positions), what was claimed, what is true and how far off is too far.

    ``complete`` says that they are all the entries there are, in order.
    """

    which: int
    positions: Tensor
    got: Tensor
    expected: Tensor
    allowed: Tensor
    complete: bool

    @property
    def wrong(self) -> Tensor:
        """Which of the entries are off, bool."""
        return ~((self.got - self.expected).abs() <= self.allowed)


def culprit(trial: Trial, miss: Miss) -> int:
    """Return the flat position of a wrong entry, by halving the direction and keeping the half that is further off.

    Cost: eight calls of the function for every halving.
    """
    support = miss.direction.ravel().nonzero()[:, 0]
    while len(support) > 1:
        halves = support[: len(support) // 2], support[len(support) // 2 :]
        support = max(halves, key=lambda half: _excess(trial, miss, half))
    return int(support[0])


def evidence(trial: Trial, miss: Miss, generator: torch.Generator) -> Evidence:
    """Return golden and claimed values at every entry of a small input; else at the culprit and a sample.

    The sample is drawn from everywhere, the culprit's surroundings and both ends.
    """
    total = trial.inputs[miss.which].numel()
    if total <= FEW:
        positions = torch.arange(total)
    else:
        found = culprit(trial, miss)
        sample = SAMPLE if total < LARGE else LARGE_SAMPLE
        spread = torch.randint(total, (sample // 2,), generator=generator)
        support = miss.direction.ravel().nonzero()[:, 0]
        near = support[torch.randint(len(support), (sample // 4,), generator=generator)]
        ends = torch.cat([torch.arange(4), torch.arange(total - 4, total), torch.tensor([found])])
        positions = torch.unique(torch.cat([spread, near, ends]))
    return _at(trial, miss.which, positions, complete=total <= FEW)


def _at(trial: Trial, which: int, positions: Tensor, *, complete: bool) -> Evidence:
    shape = trial.inputs[which].shape
    gradient = trial.gradient(which).double().ravel()
    expected, allowed = [], []
    for position in positions.tolist():
        direction = torch.zeros(shape, dtype=torch.float64)
        direction.view(-1)[position] = 1.0
        slope = trial.golden.along(which, direction)
        missed = trial.miss(which, "an entry", direction)
        inside = missed is None
        value = float(gradient[position]) if inside and slope.kinked else slope.value
        expected.append(value)
        allowed.append(missed.allowed if missed else abs(float(gradient[position]) - value) + 1e-12)
    truth, margin = (torch.tensor(part, dtype=torch.float64) for part in (expected, allowed))
    return Evidence(which, positions, gradient[positions], truth, margin, complete)


def _excess(trial: Trial, miss: Miss, positions: Tensor) -> float:
    part = torch.zeros_like(miss.direction)
    part.view(-1)[positions] = miss.direction.ravel()[positions]
    return trial.compared(miss.which, miss.region, part).excess
