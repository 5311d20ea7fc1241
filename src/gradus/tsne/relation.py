"""What the rows are to each other, and new rows to them: by the neighbours in a search, or as a graph says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch

from gradus.tsne.affinities import joint_affinities, row_affinities
from gradus.tsne.graph import joint_of_graph, rows_of_graph
from gradus.tsne.precomputed import require_square

if TYPE_CHECKING:
    from scipy import sparse
    from torch import Tensor

    from gradus.kernels.student_attraction import Affinities
    from gradus.tsne.affinities import Kernel
    from gradus.tsne.search import Search


@dataclass(frozen=True)
class Attachment:
    """How new rows hang on the rows of a map.

    Attributes
    ----------
    affinities : a row per new one, summing to 1, whose columns are rows of the map
    twins : (new,), int64, the row of the map that a new one equals, or -1
    """

    affinities: Affinities
    twins: Tensor


class Relation(Protocol):
    """The rows of a map, in the way that says how much they belong together."""

    def joint(self) -> Affinities:
        """Return the symmetric affinities of the rows, which sum to 1."""

    def attachment(self, rows: Any) -> Attachment:
        """Return how new rows, given as those of the map were, hang on them."""

    def remembered(self) -> Relation:
        """Return the relation without what only ``joint`` needs."""


@dataclass(frozen=True)
class Neighbourly:
    """Rows belong together as ``kernel`` weighs the distances that ``search`` finds."""

    search: Search
    kernel: Kernel

    def joint(self) -> Affinities:
        """Return the symmetric affinities; raises InputError if there are fewer neighbours than the kernel takes."""
        neighbours = self.search.others(self.kernel.count(self.search.samples))
        return joint_affinities(neighbours, self.kernel.weights(neighbours))

    def attachment(self, rows: Any) -> Attachment:
        """Return how new rows hang on the map."""
        neighbours = self.search.among(rows, self.kernel.count(self.search.samples))
        twins = torch.where(neighbours.squared[:, 0] == 0, neighbours.indices[:, 0].long(), -1)
        return Attachment(row_affinities(neighbours, self.kernel.weights(neighbours)), twins)

    def remembered(self) -> Neighbourly:
        """Return the relation without what only ``joint`` needs."""
        return Neighbourly(self.search.remembered(), self.kernel)


@dataclass(frozen=True)
class Connected:
    """Rows belong together as the weights of a graph (samples, samples) say.

    The graph is None once only new rows are asked about.
    """

    graph: sparse.csr_array | None

    @classmethod
    def of(cls, graph: sparse.csr_array) -> Connected:
        """Take a square CSR graph of weights; raises InputError if it is not square."""
        require_square(graph.shape)
        return cls(graph)

    def joint(self) -> Affinities:
        """Return the symmetric affinities; raises InputError for a negative weight or a row without neighbours."""
        assert self.graph is not None
        return joint_of_graph(self.graph)

    def attachment(self, rows: sparse.csr_array) -> Attachment:
        """Return how new rows, (new, samples) weights, hang on the map: none equals one of it."""
        return Attachment(rows_of_graph(rows), torch.full((rows.shape[0],), -1))

    def remembered(self) -> Connected:
        """Return the relation without its graph."""
        return Connected(None)
