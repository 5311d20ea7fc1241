"""The rules of simplification; each takes a node and returns what it is equal to, or None where it does not apply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.derive.rules.domains import hollow, orthogonal, sum_to_one, symmetric, vanishing_mask, weighted_mean
from gradus.derive.rules.exponentials import as_logsumexp, as_softmax, of_exponential, of_sigmoid
from gradus.derive.rules.inverses import inverse_cancels, inverse_of_orthogonal
from gradus.derive.rules.logarithms import of_logarithm
from gradus.derive.rules.means import sum_of_named_mean
from gradus.derive.rules.powers import of_power, signs

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradus.derive.facts import Facts
    from gradus.derive.index_form import Expression


@dataclass(frozen=True, slots=True)
class Rule:
    """A rewrite; one that is ``tentative`` is dropped where the numbers speak against it, others are never wrong."""

    name: str
    rewrite: Callable[[Expression, Facts], Expression | None]
    tentative: bool = False


RULES = (
    Rule("rules of the logarithm", of_logarithm),
    Rule("exp(log x) = x", of_exponential),
    Rule("sigmoid(-x) = 1 - sigmoid(x), softplus(-x) = softplus(x) - x", of_sigmoid),
    Rule("log of a sum of exponentials", as_logsumexp),
    Rule("exp z / sum exp z = softmax(z)", as_softmax),
    Rule("powers of positive numbers", of_power),
    Rule("x sign(x) = abs(x)", signs),
    Rule("equal to its transpose", symmetric),
    Rule("zero diagonal", hollow, tentative=True),
    Rule("sums to 1", sum_to_one),
    Rule("sum(x) = D mean(x)", sum_of_named_mean),
    Rule("weights that sum to 1", weighted_mean),
    Rule("Q.T @ Q = I", orthogonal),
    Rule("inv(Q) = Q.T", inverse_of_orthogonal),
    Rule("inv(A) @ A = I", inverse_cancels),
    Rule("a factor that is zero on the diagonal", vanishing_mask, tentative=True),
)

# what these do is told by the declaration they rest on, or needs no telling
SILENT = frozenset(
    {
        "equal to its transpose",
        "zero diagonal",
        "sums to 1",
        "weights that sum to 1",
        "a factor that is zero on the diagonal",
        "powers of positive numbers",
    }
)
