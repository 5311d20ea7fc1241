"""Is this gradient right, and if not, where and why?"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from gradus.check.bisection import evidence
from gradus.check.cases import GIVEN, Case, cases
from gradus.check.diagnosis import diagnosed, indices
from gradus.check.examine import Complaint, RefusalError, Sighting, examine
from gradus.check.failure import Failure
from gradus.check.on_device import OnDevice, at_home, called_on, device_of
from gradus.check.probe import Trusted, trusted
from gradus.check.settings import Settings
from gradus.check.sizes import lengths, resized
from gradus.check.subject import Subject, subject_of
from gradus.check.verdict import Entry, Finding, Verdict
from gradus.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

# sizes at which a failure is looked at first: small enough to read, large enough to tell axes and ends apart
SMALL = (3, 4, 5, 6, 7, 8, 9)


def check_gradient(
    function: Any, pullback: Callable[..., Any] | None, *inputs: Any, settings: Settings | None = None
) -> Verdict:
    """Check a gradient of ``function`` at ``inputs``, and at the edges around them.

    Parameters
    ----------
    function : of tensors or NumPy arrays, returning one or several; or a subclass of torch.autograd.Function
    pullback : None for what torch.autograd makes of the function; else a function of (upstream, *inputs) that returns
        a gradient for every input (or for every floating-point one)
    inputs : tensors, arrays or numbers of any floating-point dtype, and whatever else the function takes as arrays;
        tensors of a GPU have the functions called there, all else is done on the processor
    settings : seed, reference, cases

    Returns
    -------
    A verdict: true where no error was found, else with the wrong entries and what they look like.

    Raises
    ------
    InputError : if the function does not take the inputs, they are on two devices, or there is nothing to check

    Expected values are differences of the function (or of ``settings.reference``) in float64, along signed random
    directions over the whole of an input, its rows, tiles, ends and entries; under random upstreams, never all ones.
    What counts as wrong follows the precision of the inputs, not their size. Cost: some hundred calls of the function.

    Examples
    --------
    >>> check_gradient(torch.sin, lambda upstream, x: upstream * torch.cos(x), torch.linspace(0, 1, 6)).passed
    True
    >>> wrong = check_gradient(torch.sin, lambda upstream, x: -upstream * torch.cos(x), torch.linspace(0, 1, 6))
    >>> wrong.findings[0].kind
    'wrong sign'
    """
    settings = settings or Settings()
    device = device_of(inputs)
    subject, tensors = subject_of(function, pullback, inputs)
    reference = settings.reference
    if device.type != "cpu":
        subject, tensors = OnDevice(subject, device), at_home(tensors)
        reference = None if reference is None else called_on(device, reference)
    with warnings.catch_warnings():
        # at the edges functions warn of what is looked for there
        warnings.simplefilter("ignore")
        source = trusted(subject, reference, tensors)
        return _Search(subject, source, settings, _name(function)).run(cases(tensors, _generator(settings)))


def _failure(case: Case, sighting: Sighting, generator: torch.Generator) -> Failure:
    return Failure(case, sighting.trial, evidence(sighting.trial, sighting.miss, generator))


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _generator(settings: Settings) -> torch.Generator:
    return torch.Generator().manual_seed(settings.seed)


class _Search:
    """Walk through the cases; stop at the first that is wrong in each group of them."""

    def __init__(self, subject: Subject, source: Trusted, settings: Settings, name: str) -> None:
        self.subject, self.source, self.settings, self.name = subject, source, settings, name
        self.looked_at: list[str] = []
        self.refused: list[str] = []
        self.kinks: list[str] = []
        self.findings: list[Finding] = []

    def run(self, situations: Any) -> Verdict:
        wrong: set[str] = set()
        for case in situations:
            if self.settings.only is not None and case.name not in self.settings.only:
                continue
            if case.about in wrong:
                continue
            if self._look(case):
                wrong.add(case.about)
            if case.name == GIVEN and wrong:
                break
        golden = "the reference" if self.settings.reference else f"{str(self.source.precision)[6:]} differences"
        groups = (tuple(self.looked_at), tuple(self.refused), tuple(self.kinks))
        if not self.looked_at:
            raise InputError(f"none of the cases {self.settings.only} exists or applies: leave `only` out to see them")
        return Verdict(self.name, tuple(self.findings), *groups, golden)

    def _look(self, case: Case) -> bool:
        """Return whether anything is wrong in this situation."""
        for turn in range(self.settings.upstreams if case.name == GIVEN else 1):
            generator = torch.Generator().manual_seed(self.settings.seed + 1 + turn)
            try:
                seen = examine(self.subject, self.source, case, generator, None if turn == 0 else 1)
            except RefusalError as reason:
                if case.name == GIVEN:
                    raise InputError(f"{self.name} cannot be checked at these inputs: {reason}") from None
                self.refused.append(case.name)
                return False
            if turn == 0:
                self.looked_at.append(case.name)
            if case.name == GIVEN and turn == self.settings.upstreams - 1:
                self.source = replace(self.source, typical=seen.sizes)
            if seen.kinked and case.name not in self.kinks:
                self.kinks.append(case.name)
            if seen.complaint is not None:
                self.findings.append(self._complained(case, seen.complaint))
                return True
            if seen.sightings:
                self.findings += [self._missed(case, sighting, generator) for sighting in seen.sightings]
                return True
        return False

    def _complained(self, case: Case, complaint: Complaint) -> Finding:
        return Finding(case.name, complaint.which, complaint.kind, complaint.likely, replay=self._replay(case))

    def _missed(self, case: Case, sighting: Sighting, generator: torch.Generator) -> Finding:
        which = sighting.miss.which
        failure = self._smaller(case, which) or _failure(case, sighting, generator)
        told = diagnosed(failure, elsewhere=self._passes_elsewhere(case, which))
        shape = tuple(failure.shape)
        entries = tuple(Entry(*row) for row in indices(failure.evidence, shape))
        wrong = int(failure.evidence.wrong.sum())
        return Finding(case.name, which, *told, entries, wrong, len(failure.evidence.positions), self._replay(case))

    def _smaller(self, case: Case, which: int) -> Failure | None:
        """Return the same failure at the smallest sizes that show it, or None."""
        if case.about not in ("values",):
            return None
        small = iter(SMALL)
        change = {length: min(length, next(small, length)) for length in sorted(lengths(case.inputs))}
        generator = torch.Generator().manual_seed(self.settings.seed + 1)
        shrunk = replace(case, inputs=resized(case.inputs, change, generator))
        try:
            seen = examine(self.subject, self.source, shrunk, generator)
        except (RefusalError, InputError):
            return None
        found = [sighting for sighting in seen.sightings if sighting.miss.which == which]
        return _failure(shrunk, found[0], generator) if found else None

    def _passes_elsewhere(self, case: Case, which: int) -> bool:
        """Tell whether the same numbers pass when they are contiguous."""
        if "memory" not in case.about:
            return False
        inputs = tuple(x.clone(memory_format=torch.contiguous_format) for x in case.inputs)
        generator = torch.Generator().manual_seed(self.settings.seed + 1)
        upstream = case.upstream
        plain = replace(
            case, inputs=inputs, upstream=lambda u: upstream(u).clone(memory_format=torch.contiguous_format)
        )
        seen = examine(self.subject, self.source, plain, generator)
        return seen.complaint is None and which not in [sighting.miss.which for sighting in seen.sightings]

    def _replay(self, case: Case) -> str:
        chosen = f"seed={self.settings.seed}, only=({case.name!r},)"
        return f"check_gradient(..., settings=Settings({chosen}))"
