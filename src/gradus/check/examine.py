"""One situation: run the pullback, look at its manners, then at its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from gradus.check.kinks import confirmed
from gradus.check.probe import Miss, Trial, Trusted, random_upstreams
from gradus.core.errors import InputError

if TYPE_CHECKING:
    from gradus.check.cases import Case
    from gradus.check.subject import Arrays, Gradients, Subject

# what a function raises that does not take its inputs
REFUSALS = (RuntimeError, ValueError, TypeError, IndexError, AssertionError, NotImplementedError, ArithmeticError)
# two runs of the same call may differ by this many roundings
REPEATED = 64.0


class Complaint(NamedTuple):
    """Bad manners: something wrong before any number is compared."""

    which: int | None
    kind: str
    likely: str


class RefusalError(Exception):
    """The function does not take these inputs, or has no finite value there."""


class Sighting(NamedTuple):
    """A direction along which a gradient is off, and the trial that it was seen in."""

    trial: Trial
    miss: Miss


@dataclass(frozen=True)
class Examination:
    """What was seen in one situation; ``sizes`` are the root mean squares of the gradients."""

    complaint: Complaint | None
    sightings: tuple[Sighting, ...]
    kinked: bool
    sizes: tuple[float, ...] = ()


def examine(
    subject: Subject, source: Trusted, case: Case, generator: torch.Generator, most: int | None = None
) -> Examination:
    """Return what is seen in one situation under one random upstream, along at most ``most`` directions an input.

    Raises
    ------
    RefusalError : if the function does not take the inputs, or has no finite value there
    """
    outputs = _outputs(subject, source, case)
    upstreams = tuple(case.upstream(u) for u in random_upstreams(outputs, generator))
    before = [x.clone() for x in (*case.inputs, *upstreams)]
    try:
        gradients = subject.pullback(upstreams, case.inputs)
    except InputError:
        raise
    except REFUSALS as error:
        said = " ".join(str(error).split())[:160]
        return _complained(Complaint(None, "raises", f"cannot be computed: {type(error).__name__}: {said}"))
    complaint = _manners(case.inputs, (*case.inputs, *upstreams), before, gradients)
    if complaint is None:
        complaint = _repeats(subject, case.inputs, upstreams, gradients)
    if complaint is not None:
        return _complained(complaint)
    golden = source.at(case.inputs, upstreams)
    trial = Trial(subject, case.inputs, upstreams, golden, gradients, typical=source.typical)
    floating = [which for which, x in enumerate(case.inputs) if x.is_floating_point()]
    looks = [trial.look(which, generator, most) for which in floating]
    sightings = [_certain(trial, look.miss, generator) for look in looks if look.miss is not None]
    found = tuple(sighting for sighting in sightings if sighting is not None)
    return Examination(None, found, any(look.kinked for look in looks), _sizes(gradients))


def _outputs(subject: Subject, source: Trusted, case: Case) -> Arrays:
    try:
        truth = source.at(case.inputs)
        outputs = subject.forward(case.inputs)
    except InputError:
        raise
    except REFUSALS as error:
        raise RefusalError(" ".join(str(error).split())[:200]) from None
    if not all(bool(torch.isfinite(y).all()) for y in (*truth.values, *outputs)):
        raise RefusalError("the function has no finite value there")
    if [y.shape for y in truth.values] != [y.shape for y in outputs]:
        shapes = ", ".join(str(tuple(y.shape)) for y in truth.values), ", ".join(str(tuple(y.shape)) for y in outputs)
        raise InputError(
            f"the reference returns shapes {shapes[0]} and the function {shapes[1]}: they must be the same"
        )
    return outputs


def _manners(inputs: Arrays, given: Arrays, before: list[Tensor], gradients: Gradients) -> Complaint | None:
    for which, (x, gradient) in enumerate(zip(inputs, gradients, strict=True)):
        if gradient is None or gradient.shape == x.shape:
            continue
        shapes = f"has shape {tuple(gradient.shape)} where the input has {tuple(x.shape)}"
        if _broadcasts(x.shape, gradient.shape):
            return Complaint(which, "missing sum", f"{shapes}: the sum over the axes it was broadcast along is missing")
        return Complaint(which, "wrong shape", shapes)
    for place, (now, then) in enumerate(zip(given, before, strict=True)):
        if not torch.equal(now.nan_to_num(), then.nan_to_num()):
            what = f"input {place}" if place < len(inputs) else f"upstream {place - len(inputs)}"
            return Complaint(None, "changes its inputs", f"is computed by writing into {what}")
    return None


def _repeats(subject: Subject, inputs: Arrays, upstreams: Arrays, gradients: Gradients) -> Complaint | None:
    again = subject.pullback(upstreams, inputs)
    for which, (first, second) in enumerate(zip(gradients, again, strict=True)):
        if first is None or second is None:
            continue
        apart = (first.double() - second.double()).nan_to_num().abs()
        size = first.double().nan_to_num().abs().max() if first.numel() else apart.sum()
        if bool((apart > REPEATED * torch.finfo(first.dtype).eps * size).any()):
            return Complaint(which, "not deterministic", "differs from one run to the next")
    return None


def _broadcasts(small: torch.Size, large: torch.Size) -> bool:
    padded = (1,) * (len(large) - len(small)) + tuple(small)
    return len(padded) == len(large) and all(a in (1, b) for a, b in zip(padded, large, strict=True))


def _sizes(gradients: Gradients) -> tuple[float, ...]:
    given = [torch.zeros(1) if g is None or not g.numel() else g.detach().double() for g in gradients]
    return tuple(float(g.square().mean().sqrt()) for g in given)


def _certain(trial: Trial, miss: Miss, generator: torch.Generator) -> Sighting | None:
    if not miss.expected.kinked:
        return Sighting(trial, miss)
    proof = confirmed(trial, miss, generator)
    return None if proof is None else Sighting(*proof)


def _complained(complaint: Complaint) -> Examination:
    return Examination(complaint, (), kinked=False)
