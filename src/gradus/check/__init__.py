"""Is this gradient right? Is this claim right? With the smallest counterexample where it is not.

Names load on first use: pytest imports this room wherever gradus is installed, and must not wait for torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradus.check.claims import ClaimVerdict, Judgement, check_claims
    from gradus.check.gradient import check_gradient
    from gradus.check.settings import Settings
    from gradus.check.torch_face import GradientError, gradcheck
    from gradus.check.verdict import Entry, Finding, Verdict

_HOME = {
    "ClaimVerdict": "gradus.check.claims",
    "Entry": "gradus.check.verdict",
    "Finding": "gradus.check.verdict",
    "GradientError": "gradus.check.torch_face",
    "Judgement": "gradus.check.claims",
    "Settings": "gradus.check.settings",
    "Verdict": "gradus.check.verdict",
    "check_claims": "gradus.check.claims",
    "check_gradient": "gradus.check.gradient",
    "gradcheck": "gradus.check.torch_face",
}

__all__ = [
    "ClaimVerdict",
    "Entry",
    "Finding",
    "GradientError",
    "Judgement",
    "Settings",
    "Verdict",
    "check_claims",
    "check_gradient",
    "gradcheck",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'gradus.check' has no attribute {name!r}")
