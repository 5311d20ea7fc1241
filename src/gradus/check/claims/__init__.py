"""Is this claim about a formula right? With the smallest counterexample where it is not."""

from gradus.check.claims.judging import judge
from gradus.check.claims.notes import check_claims, read_notes
from gradus.check.claims.verdict import ClaimVerdict, Judgement

__all__ = ["ClaimVerdict", "Judgement", "check_claims", "judge", "read_notes"]
