"""Where a gradient is wrong, and what is missing there."""

from __future__ import annotations

import torch
from torch import Tensor

from gradus.check.failure import Diagnosis, Failure
from gradus.check.sizes import BLOCKS

# an edge is at most this part of an axis
EDGE = 0.34


def edges_only(failure: Failure) -> Diagnosis | None:
    """Right inside, wrong at one end of an axis."""
    wrong = failure.evidence.wrong
    if wrong.all() or not wrong.any():
        return None
    index = torch.unravel_index(failure.evidence.positions, failure.shape)
    for axis, length in enumerate(failure.shape):
        bad, good = index[axis][wrong], index[axis][~wrong]
        if length < 3 or not len(good):
            continue
        if int(bad.min()) > int(good.max()) and length - int(bad.min()) <= max(1, EDGE * length):
            rest = [block for block in BLOCKS if int(bad.min()) >= length // block * block > 0 and length % block]
            blocks = f" (past the last whole block of {rest[0]})" if rest else ""
            return Diagnosis("edges", f"is wrong from entry {int(bad.min())} of axis {axis} on only{blocks}")
        if int(bad.max()) < int(good.min()) and int(bad.max()) + 1 <= max(1, EDGE * length):
            return Diagnosis("edges", f"is wrong up to entry {int(bad.max())} of axis {axis} only")
        ends = (index[axis] == 0) | (index[axis] == length - 1)
        if bool(ends[wrong].all()) and not bool(ends[~wrong].any()):
            return Diagnosis("edges", f"is wrong at both ends of axis {axis} only")
    return None


def missing_term(failure: Failure) -> Diagnosis | None:
    """The truth less something, described by where it is or what it is made of."""
    missing = failure.evidence.expected - failure.evidence.got
    support = _support(failure)
    made_of = _made_of(failure, missing)
    zero = failure.nothing(failure.evidence.got, failure.evidence.wrong)
    value = "is 0" if zero else "lacks a term"
    return Diagnosis("missing term", f"{value} {support}{made_of}")


def _support(failure: Failure) -> str:
    wrong = failure.evidence.wrong
    share = int(wrong.sum()), len(wrong)
    if failure.evidence.complete and len(failure.shape) == 2:
        rows, columns = torch.unravel_index(failure.evidence.positions, failure.shape)
        for name, place in (("on the diagonal", rows == columns), ("off the diagonal", rows != columns)):
            if bool(place[wrong].all()) and bool(wrong[place].float().mean() > 0.7) and not bool(place.all()):
                return name
    if share[0] == share[1]:
        return "everywhere"
    return f"in {share[0]} of the {share[1]} entries looked at"


def _made_of(failure: Failure, missing: Tensor) -> str:
    """Return what the missing term is proportional to, if that is plain to see."""
    if not failure.evidence.complete or failure.evidence.got.numel() < 3:
        return ""
    shaped = failure.whole(missing)
    for axis in range(shaped.ndim if shaped.ndim > 1 or failure.evidence.wrong.all() else 0):
        mean = shaped.mean(axis, keepdim=True).expand_as(shaped)
        if shaped.shape[axis] > 2 and failure.same(missing, mean.reshape(-1)):
            return f"; what is missing is constant along axis {axis}, as a sum or a mean over it is"
    candidates = {f"input {k}": x for k, x in enumerate(failure.trial.inputs)}
    candidates |= {f"output {k}": y for k, y in enumerate(failure.trial.golden.values)}
    candidates |= {f"upstream {k}": u for k, u in enumerate(failure.trial.upstreams)}
    for name, value in candidates.items():
        if value.shape == shaped.shape and _proportional(failure, shaped, value.double()):
            return f"; what is missing is a multiple of {name}"
    return ""


def _proportional(failure: Failure, missing: Tensor, value: Tensor) -> bool:
    """Tell whether ``missing`` is ``value`` times one number for each row of the last axis."""
    if value.ndim == 0 or value.shape[-1] < 3:
        return False
    scale = (missing * value).sum(-1, keepdim=True) / value.square().sum(-1, keepdim=True).clamp_min(1e-300)
    return failure.same(missing.reshape(-1), (scale * value).reshape(-1))
