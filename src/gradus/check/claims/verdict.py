"""What is said of a claim."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class Judgement(Enum):
    """Refuted is certain; that both sides agreed at many points is not a proof, and is not called one."""

    REFUTED = "refuted"
    AGREES = "agrees"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class ClaimVerdict:
    """The judgement of one claim.

    Attributes
    ----------
    claim : as it was written
    line : where, counted from 1
    judgement : refuted, agrees or undecided
    because : the counterexample, at how many points both sides agree, or why nothing can be said
    right : what should stand on the right side, where gradus can derive it
    missing : by how much the claim's right side falls short, as a formula
    """

    claim: str
    line: int
    judgement: Judgement
    because: str
    right: str = ""
    missing: str = ""

    @property
    def passed(self) -> bool:
        """Whether both sides agree."""
        return self.judgement is Judgement.AGREES

    def __str__(self) -> str:
        """Return the verdict in a few lines."""
        lines = [f"{self.line}: {self.judgement.value}  {self.claim}", f"    {self.because}"]
        if self.right:
            lines.append(f"    right is  {self.right}")
        if self.missing:
            lines.append(f"    missing   {self.missing}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as what JSON can hold."""
        fields = ("claim", "line", "because", "right", "missing")
        return {name: getattr(self, name) for name in fields} | {"judgement": self.judgement.value}
