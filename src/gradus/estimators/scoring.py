"""What a fit is judged by on rows that it has not seen: a loss for each row, the smaller the better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch

from gradus.core.errors import InputError, did_you_mean
from gradus.metrics import rank_counts

if TYPE_CHECKING:
    from torch import Tensor


class Scoring(Protocol):
    """A loss for each row."""

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the losses (rows,), float64, of logits (rows, classes).

        targets : (rows,) codes of the labels, or (rows, classes) probabilities: then what is expected of a label drawn
        """


@dataclass(frozen=True)
class TopKLoss:
    """1 where the label is not among the k classes of the highest logits; the chance of that where classes are tied.

    Examples
    --------
    >>> TopKLoss(1).losses(torch.tensor([[2.0, 1.0], [1.0, 1.0]]), torch.tensor([1, 0])).tolist()
    [1.0, 0.5]
    """

    k: int = 1

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the losses of each row."""
        if targets.ndim == 2:
            return self._expected(logits, targets)
        greater, equal = (torch.from_numpy(count).to(logits.device).double() for count in rank_counts(targets, logits))
        return 1.0 - ((self.k - greater) / (equal + 1.0)).clamp(0.0, 1.0)

    def _expected(self, logits: Tensor, probabilities: Tensor) -> Tensor:
        rows, classes = probabilities.double().nonzero(as_tuple=True)
        each = self.losses(logits[rows], classes) * probabilities[rows, classes].double()
        return each.new_zeros(len(logits)).index_add_(0, rows, each)


@dataclass(frozen=True)
class LogLoss:
    """Minus the logarithm of the label's probability, in nats.

    Examples
    --------
    >>> LogLoss().losses(torch.zeros(1, 2), torch.tensor([0])).exp().round(decimals=6).tolist()
    [2.0]
    """

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the losses of each row."""
        wide = targets if targets.ndim == 1 else targets.double()
        return torch.nn.functional.cross_entropy(logits.double(), wide, reduction="none")


def chosen_scoring(scoring: Any, classes: int) -> Scoring:
    """Return what ``scoring`` names: "error", "cross_entropy", or the k of a top-k error, from 1 to ``classes``.

    Raises
    ------
    InputError : if it is none of them
    """
    names: dict[str, Scoring] = {"error": TopKLoss(1), "cross_entropy": LogLoss()}
    if isinstance(scoring, str):
        if scoring in names:
            return names[scoring]
        hint = did_you_mean(scoring, names)
    else:
        hint = ""
        if isinstance(scoring, int) and not isinstance(scoring, bool) and 1 <= scoring <= classes:
            return TopKLoss(scoring)
    raise InputError(
        f"scoring is {scoring!r}{hint}; expected 'error', 'cross_entropy', or the k of a top-k error, 1 to {classes}"
    )
