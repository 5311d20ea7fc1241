"""Repulsion that is kept or predicted for some iterations, where it changes more slowly than it costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.tsne.repulsion import Repulsion

# the relative error above which a prediction is not made, measured on every so many points
LARGEST_ERROR = 0.1
LOOKED_AT = 16


@dataclass
class KeptRepulsion:
    """The repulsion computed in one call of every ``calls``, and answered again in the others.

    A step of multiple time scales: the pull of the edges follows the points at once, the push of all pairs some
    iterations later. One object serves one phase of one descent.

    References
    ----------
    Tuckerman, Berne & Martyna 1992, Reversible multiple time scale molecular dynamics

    Examples
    --------
    >>> import torch
    >>> from gradus.tsne import ExactRepulsion
    >>> kept = KeptRepulsion(ExactRepulsion(dof=1.0), calls=2)
    >>> near, far = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [3.0]])
    >>> [round(kept(points)[1], 2) for points in (near, far, far)]
    [1.0, 1.0, 0.2]
    """

    repulsion: Repulsion
    calls: int
    _age: int = field(default=0, repr=False)
    _kept: tuple[Tensor, float] | None = field(default=None, repr=False)

    def __call__(self, embedding: Tensor) -> tuple[Tensor, float]:
        """Return the repulsive sums and Z, of this map or of one up to ``calls - 1`` calls before."""
        if self._kept is None or self._age == self.calls:
            self._kept, self._age = self.repulsion(embedding), 0
        self._age += 1
        return self._kept


@dataclass
class PredictedRepulsion:
    """The repulsion computed in every second call and told between them by the line through the last two, while that
    is close to what is then computed.

    Whenever it is computed, the prediction for the same points is compared with it. An error of more than a tenth has
    it computed in every call; one of half as much lets it be predicted again. One object serves one phase of one
    descent.

    Examples
    --------
    >>> import torch
    >>> from gradus.tsne import ExactRepulsion
    >>> predicted = PredictedRepulsion(ExactRepulsion(dof=1.0))
    >>> maps = [torch.tensor([[0.0], [1.0 + call / 100]]) for call in range(5)]
    >>> [round(predicted(points)[0][1].item(), 4) for points in maps]
    [0.25, 0.2475, 0.245, 0.2425, 0.24]
    """

    repulsion: Repulsion
    _predicts: bool = field(default=False, repr=False)
    _known: list[tuple[int, Tensor, float]] = field(default_factory=list, repr=False)
    _calls: int = field(default=0, repr=False)

    def __call__(self, embedding: Tensor) -> tuple[Tensor, float]:
        """Return the repulsive sums and Z, of this map, or as they are expected to have become."""
        self._calls += 1
        if self._predicts and self._known[-1][0] == self._calls - 1:
            return self._prediction()
        forces, normaliser = self.repulsion(embedding)
        if len(self._known) == 2:
            error = _relative_error(self._prediction()[0], forces)
            self._predicts = error <= LARGEST_ERROR * (1.0 if self._predicts else 0.5)
        self._known = [*self._known[-1:], (self._calls, forces, normaliser)]
        return forces, normaliser

    def _prediction(self) -> tuple[Tensor, float]:
        (first, before, z_before), (second, after, z_after) = self._known
        ahead = (self._calls - second) / (second - first)
        return after + ahead * (after - before), z_after + ahead * (z_after - z_before)


def _relative_error(found: Tensor, expected: Tensor) -> float:
    """Return |found - expected| / |expected| on some of the points, the same for any number of threads."""
    one, other = found[::LOOKED_AT].cpu().numpy(), expected[::LOOKED_AT].cpu().numpy()
    scale = float(np.square(other, dtype=np.float64).sum())
    return float(np.sqrt(np.square(one - other, dtype=np.float64).sum() / max(scale, 1e-300)))
