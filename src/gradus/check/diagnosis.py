"""From a failure to what it looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradus.check.failure import Diagnosis, Failure
from gradus.check.patterns import (
    constant_factor,
    detached,
    missing_sum,
    not_finite,
    sign_of_some,
    transposed,
    upstream_ignored,
)
from gradus.check.support import edges_only, missing_term

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradus.check.bisection import Evidence

# in the order in which they are tried: the plainest explanation first
PATTERNS: tuple[Callable[[Failure], Diagnosis | None], ...] = (
    not_finite,
    detached,
    upstream_ignored,
    constant_factor,
    transposed,
    edges_only,
    missing_sum,
    sign_of_some,
    missing_term,
)
# what a failure is called that only shows in a situation of this kind, where no pattern of its own fits
SITUATIONS = {
    "inputs in memory": Diagnosis(
        "memory layout", "is right for contiguous inputs and wrong for the same numbers laid out like this"
    ),
    "upstream in memory": Diagnosis(
        "memory layout", "is right for a contiguous upstream gradient and wrong for one laid out like this"
    ),
}
IN_CASE = {
    "ties": Diagnosis("kink", "is outside what the function's two sides allow where values are equal"),
    "a row of zeros": Diagnosis("singularity", "is wrong at 0"),
    "large values": Diagnosis("large values", "is wrong where the inputs are large"),
}


def diagnosed(failure: Failure, *, elsewhere: bool) -> Diagnosis:
    """Return what a failure looks like; ``elsewhere`` says that the same numbers pass in another layout."""
    if elsewhere:
        return SITUATIONS[failure.case.about]
    if not failure.evidence.wrong.any():
        # each entry lies between its two sides, and together they do not
        return Diagnosis("kink", "gives entries that are equal more or less together than the function changes by")
    found = next((told for pattern in PATTERNS if (told := pattern(failure)) is not None), None)
    assert found is not None
    if failure.case.name in IN_CASE and found.kind in ("missing term", "wrong sign", "constant factor"):
        return IN_CASE[failure.case.name]
    if failure.case.about == "sizes" and found.kind == "missing term":
        return Diagnosis("edges", f"is wrong at this size only, where it {found.likely}")
    return found


def indices(evidence: Evidence, shape: tuple[int, ...], most: int = 12) -> list[tuple[tuple[int, ...], float, float]]:
    """Return index, expected and claimed value of the wrong entries, the worst first."""
    off = (evidence.got - evidence.expected).abs().nan_to_num(torch.inf)
    order = torch.argsort(off * evidence.wrong, descending=True)[: min(most, int(evidence.wrong.sum()))]
    places = torch.unravel_index(evidence.positions[order], shape) if shape else ()
    rows = [tuple(int(axis[k]) for axis in places) for k in range(len(order))]
    return [
        (row, float(evidence.expected[k]), float(evidence.got[k])) for row, k in zip(rows, order.tolist(), strict=True)
    ]
