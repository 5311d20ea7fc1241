"""What a wrong gradient looks like: each pattern compares what came with what a known mistake would give."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradus.check.failure import Diagnosis, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator


def not_finite(failure: Failure) -> Diagnosis | None:
    """NaN or infinity where there is a derivative."""
    bad = ~torch.isfinite(failure.evidence.got)
    if not bad.any():
        return None
    return Diagnosis("not finite", f"is NaN or infinite in {int(bad.sum())} entries where the derivative is finite")


def detached(failure: Failure) -> Diagnosis | None:
    """Nothing arrives."""
    if failure.trial.gradients[failure.evidence.which] is None:
        return Diagnosis("detached", "is missing: no gradient reaches the input (a detach, or a None returned)")
    if not failure.evidence.got.any() and not failure.nothing(failure.evidence.expected):
        return Diagnosis("detached", "is 0 everywhere and should not be: the input looks detached")
    return None


def upstream_ignored(failure: Failure) -> Diagnosis | None:
    """The gradient of the output's sum, or under one entry of the upstream, whatever the upstream is."""
    upstreams = tuple(u.double() for u in failure.trial.upstreams)
    ones = tuple(torch.ones_like(u) for u in upstreams)
    got = failure.evidence.got
    if failure.same(got, failure.got_under(tuple(-0.7 * u.flip(0) if u.ndim else -0.7 * u for u in upstreams))):
        what = "that of all ones" if failure.same(got, failure.expected_under(ones)) else "always the same"
        return Diagnosis("upstream ignored", f"does not depend on the upstream gradient: it is {what}")
    for place, index in (("first", 0), ("last", -1)):
        single = tuple(u.ravel()[index] * torch.ones_like(u) if u.numel() else u for u in upstreams)
        if failure.same(got, failure.expected_under(single)):
            return Diagnosis("upstream ignored", f"uses the {place} entry of the upstream gradient for all")
    for kept in range(len(upstreams) if len(upstreams) > 1 else 0):
        only = tuple(u if place == kept else torch.zeros_like(u) for place, u in enumerate(upstreams))
        if failure.same(got, failure.expected_under(only)):
            return Diagnosis("upstream ignored", f"uses the upstream gradient of output {kept} alone")
    return None


def constant_factor(failure: Failure) -> Diagnosis | None:
    """A multiple of the truth."""
    got, expected = failure.evidence.got, failure.evidence.expected
    square = float(expected @ expected)
    factor = float(got @ expected) / square if square else 0.0
    if not factor or not failure.same(got, factor * expected):
        return None
    if abs(factor + 1) < 0.01:
        return Diagnosis("wrong sign", "has the opposite sign everywhere")
    name = _named(abs(factor), failure)
    sign = "minus " if factor < 0 else ""
    return Diagnosis("constant factor", f"is {sign}{name} times what it should be")


def sign_of_some(failure: Failure) -> Diagnosis | None:
    """Right sizes, wrong signs."""
    got, expected = failure.evidence.got, failure.evidence.expected
    if failure.same(got.abs(), expected.abs()) and int(failure.evidence.wrong.sum()) > 1:
        return Diagnosis("wrong sign", "has the right size and the opposite sign in some entries")
    return None


def transposed(failure: Failure) -> Diagnosis | None:
    """Axes in another order, or reversed."""
    if not failure.evidence.complete or len(failure.shape) < 1 or failure.evidence.got.numel() < 2:
        return None
    got, expected = failure.evidence.got, failure.whole(failure.evidence.expected)
    for first, second in combinations(range(expected.ndim), 2):
        if failure.same(got, expected.transpose(first, second).reshape(-1)):
            return Diagnosis("transposed", f"has axes {first} and {second} exchanged")
    for count in range(1, min(expected.ndim, 3) + 1):
        for axes in combinations(range(expected.ndim), count):
            if failure.same(got, expected.flip(axes).reshape(-1)):
                return Diagnosis("flipped", f"runs backwards along axis {' and '.join(map(str, axes))}")
    for axis in range(expected.ndim):
        for shift in (1, -1):
            if failure.same(got, expected.roll(shift, axis).reshape(-1)):
                return Diagnosis("shifted", f"is shifted by {shift} along axis {axis}")
    return None


def missing_sum(failure: Failure) -> Diagnosis | None:
    """One slice of the output counted where all of them are to be summed."""
    for number, upstream in enumerate(failure.trial.upstreams):
        for axis, place, masked in _slices(upstream.double()):
            others = tuple(masked if k == number else u.double() for k, u in enumerate(failure.trial.upstreams))
            if failure.same(failure.evidence.got, failure.expected_under(others)):
                return Diagnosis(
                    "missing sum", f"counts the {place} slice along axis {axis} of the output only: a sum is missing"
                )
    return None


def _slices(upstream: Tensor) -> Iterator[tuple[int, str, Tensor]]:
    for axis, length in enumerate(upstream.shape):
        for place, index in (("first", 0), ("last", length - 1)):
            if length > 1:
                masked = torch.zeros_like(upstream)
                masked.select(axis, index).copy_(upstream.select(axis, index))
                yield axis, place, masked


def _named(factor: float, failure: Failure) -> str:
    arrays = (*failure.trial.inputs, *failure.trial.upstreams)
    sizes = {f"{length} (a length)": length for x in arrays for length in x.shape if length > 1}
    sizes |= {f"{x.numel()} (a number of entries)": x.numel() for x in arrays if x.numel() > 1}
    known = {"2": 2.0, "1/2": 0.5, "4": 4.0, "1/4": 0.25}
    for name, size in sizes.items():
        known |= {name: size, f"1/{name}": 1 / size, f"the square root of {name}": math.sqrt(size)}
        known |= {f"1/square root of {name}": 1 / math.sqrt(size)}
        if size > 2:
            known |= {f"{size}/{size - 1}": size / (size - 1), f"{size - 1}/{size}": (size - 1) / size}
    close = [name for name, value in known.items() if abs(factor - value) <= 0.003 * value]
    return close[0] if close else f"{factor:.4g}"
