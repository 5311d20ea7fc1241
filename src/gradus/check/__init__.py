"""Is this gradient right? Is this claim right? With the smallest counterexample where it is not."""

from gradus.check.claims import ClaimVerdict, Judgement, check_claims
from gradus.check.gradcheck import GradientError, gradcheck
from gradus.check.gradient import check_gradient
from gradus.check.settings import Settings
from gradus.check.verdict import Entry, Finding, Verdict

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
