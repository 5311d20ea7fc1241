"""What came of a check, for a person and for a program."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One entry of a gradient: where, what was expected and what came."""

    index: tuple[int, ...]
    expected: float
    got: float


@dataclass(frozen=True)
class Finding:
    """Something wrong.

    Attributes
    ----------
    case : the situation it was seen in
    which : number of the input whose gradient it is, or None where it concerns none in particular
    kind : its class, "wrong sign", "transposed", ...
    likely : what it looks like, a sentence
    entries : the wrong entries that were looked at, at most a dozen
    wrong, seen : how many entries are wrong, of how many that were looked at
    replay : the call that shows it again
    """

    case: str
    which: int | None
    kind: str
    likely: str
    entries: tuple[Entry, ...] = ()
    wrong: int = 0
    seen: int = 0
    replay: str = ""

    def __str__(self) -> str:
        """Return the finding in a few lines."""
        where = "" if self.which is None else f" of input {self.which}"
        lines = [f"{self.kind}: the gradient{where} ({self.case}) {self.likely}"]
        if self.entries:
            lines.append(f"  {self.wrong} of {self.seen} entries looked at are wrong, among them")
            lines += [
                f"    [{', '.join(map(str, entry.index))}] expected {entry.expected:.8g}, got {entry.got:.8g}"
                for entry in self.entries
            ]
        if self.replay:
            lines.append(f"  again: {self.replay}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Verdict:
    """Whether a gradient is right, and where it is not.

    Attributes
    ----------
    name : of what was checked
    findings : what is wrong; empty where nothing was found
    looked_at : the situations that were looked at
    refused : situations that the function itself refuses or has no finite value in
    kinks : situations in which the function has a kink; there any slope between the two sides is right
    golden : where the expected values come from
    """

    name: str
    findings: tuple[Finding, ...]
    looked_at: tuple[str, ...]
    refused: tuple[str, ...] = ()
    kinks: tuple[str, ...] = ()
    golden: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing wrong was found."""
        return not self.findings

    def __bool__(self) -> bool:
        """Tell whether nothing wrong was found."""
        return self.passed

    def __str__(self) -> str:
        """Return the verdict in words."""
        kinks = f"; kinks in {', '.join(self.kinks)}, judged by their two sides" if self.kinks else ""
        seen = f"{len(self.looked_at)} situations, expected values from {self.golden}{kinks}"
        if self.passed:
            return f"{self.name}: no error found in {seen}"
        return "\n".join([f"{self.name}: WRONG ({seen})", *map(str, self.findings)])

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as what JSON can hold; numbers that are not finite become strings."""
        return {"passed": self.passed, **_plain(asdict(self))}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
