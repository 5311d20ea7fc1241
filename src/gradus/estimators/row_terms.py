"""Which penalties are absolute values, squares and norms of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.penalties import L1, ElasticNet, GroupLasso, SparseGroupLasso
from gradus.penalties.grouping import EachRow
from gradus.solvers import Terms

if TYPE_CHECKING:
    from gradus.core.protocols import Proximable
    from gradus.losses import CrossEntropy, LinearModel


def row_terms(penalty: Proximable, model: LinearModel[CrossEntropy]) -> Terms | None:
    """Return the penalty as absolute values, squares and norms of rows, where it is that."""
    rows = model.features.shape[1]
    if isinstance(penalty, L1):
        return Terms(penalty.strength, 0.0, rows)
    if isinstance(penalty, ElasticNet):
        return Terms(penalty.l1, penalty.l2, rows)
    if isinstance(penalty, GroupLasso):
        return Terms(0.0, 0.0, rows, penalty.strength)
    if isinstance(penalty, SparseGroupLasso) and isinstance(penalty.groups, EachRow):
        return Terms(penalty.l1, 0.0, rows, penalty.l2)
    return None
