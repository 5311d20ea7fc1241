"""Repulsion that is kept for some iterations, where it changes more slowly than it costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.tsne.repulsion import Repulsion


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
