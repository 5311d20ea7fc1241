"""Which strength of a path is chosen, given what it scores on rows held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gradus.core.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from gradus.estimators.path_results import PathResults

# relative to the largest of some mean scores, how far equal ones may differ by the order of their sums
ROUNDING = 1e-12


class Selection(Protocol):
    """A rule of choice."""

    def index(self, results: PathResults) -> int:
        """Return the position of the chosen strength in ``results.alphas``."""


@dataclass(frozen=True)
class Lowest:
    """The lowest mean score; of equal ones that of the lowest cross-entropy, and then of the strongest penalty.

    Few rows make few errors, of which many strengths make the same number: the strongest of them may have next to no
    weights left when it is fitted to all rows.
    """

    def index(self, results: PathResults) -> int:
        """Return the position of the chosen strength."""
        mean = results.mean_score
        equal = mean <= mean.min() + ROUNDING * np.abs(mean).max()
        return int(np.argmin(np.where(equal, results.mean_cross_entropy, np.inf)))


@dataclass(frozen=True)
class OneStandardError:
    """The strongest penalty whose mean score is within one standard error of the lowest.

    References
    ----------
    Breiman, Friedman, Olshen & Stone 1984, Classification and Regression Trees, section 3.4.3
    """

    def index(self, results: PathResults) -> int:
        """Return the position of the chosen strength."""
        mean = results.mean_score
        lowest = int(np.argmin(mean))
        return int(np.argmax(mean <= mean[lowest] + results.standard_error[lowest]))


@dataclass(frozen=True)
class LikeliestOfEquals:
    """The lowest cross-entropy among the strengths whose error cannot be told from the lowest error.

    Cannot be told means within one standard error of it: on few rows the count of errors is too coarse to choose by,
    and the cross-entropy is not.
    """

    def index(self, results: PathResults) -> int:
        """Return the position of the chosen strength."""
        error = results.mean_error
        lowest = error.min()
        margin = np.sqrt(lowest * (1.0 - lowest) / results.rows.sum())
        return int(np.argmin(np.where(error <= lowest + margin, results.mean_cross_entropy, np.inf)))


_RULES: dict[str, Selection] = {
    "min": Lowest(),
    "one_standard_error": OneStandardError(),
    "likeliest_of_equals": LikeliestOfEquals(),
}


def chosen_selection(selection: Any) -> Selection:
    """Return the rule of that name.

    Raises
    ------
    InputError : if there is none
    """
    if not isinstance(selection, str) or selection not in _RULES:
        hint = did_you_mean(selection, _RULES) if isinstance(selection, str) else ""
        raise InputError(f"selection is {selection!r}{hint}; expected one of {', '.join(_RULES)}")
    return _RULES[selection]
