"""What the tree approximates, on any device: all pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.kernels.student_repulsion import reference

if TYPE_CHECKING:
    from torch import Tensor


def tree_repulsion(targets: Tensor, sources: Tensor, dof: float, _opening: float) -> tuple[Tensor, Tensor]:
    """Return the repulsive forces and the potential; see the package."""
    return reference.repulsion(targets, sources, dof)
