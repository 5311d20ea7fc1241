"""What finds the neighbours of rows, whatever the rows are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from gradus.tsne.neighbours import Neighbours


class Search(Protocol):
    """Rows that can be searched for the neighbours of their own and of new ones."""

    @property
    def samples(self) -> int:
        """The number of rows that are searched."""

    def others(self, count: int) -> Neighbours:
        """Return the ``count`` nearest other rows of every row."""

    def among(self, rows: Any, count: int) -> Neighbours:
        """Return the ``count`` nearest searched rows of every new row, given as the searched ones were."""

    def remembered(self) -> Search:
        """Return the search without what only ``others`` needs."""
