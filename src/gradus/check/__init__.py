"""Is this gradient right? With the wrong entries, and what they look like, where it is not."""

from gradus.check.gradcheck import GradientError, gradcheck
from gradus.check.gradient import check_gradient
from gradus.check.settings import Settings
from gradus.check.verdict import Entry, Finding, Verdict

__all__ = ["Entry", "Finding", "GradientError", "Settings", "Verdict", "check_gradient", "gradcheck"]
