"""A penalty on a linear map of the point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.core.protocols import LinearMap, Proximable, Term
from gradus.penalties.iterated_prox import iterated_prox
from gradus.penalties.nonconvex import convex_checked

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Composed:
    """The penalty h(x) = inner(A x), for a convex penalty and a linear map.

    ``PrimalDual`` of ``gradus.solvers`` multiplies by A and A' and never by an inverse. The prox has no closed form;
    where it is asked for it is iterated until it is right to about ten digits. Where A is orthogonal ``rotated`` has a
    closed form.

    Parameters
    ----------
    inner : a convex penalty on what the map returns
    map : A, such as ``Differences``, ``GridDifferences`` or ``MatrixMap``, or your own (``times``, ``adjoint_times``)

    Raises
    ------
    InputError : if ``inner`` is not a convex penalty

    References
    ----------
    Chambolle & Pock 2011, A first-order primal-dual algorithm, section 2

    Examples
    --------
    >>> import torch
    >>> from gradus.penalties import L1, Differences
    >>> penalty = Composed(L1(1.0), Differences())  # as ``TotalVariation(1.0)``, whose prox is a closed form
    >>> penalty.value(torch.tensor([0.0, 1.0, 5.0, 6.0])).item()
    6.0
    >>> [round(number, 6) for number in penalty.prox(torch.tensor([0.0, 1.0, 5.0, 6.0]), step=1.0).tolist()]
    [1.0, 1.0, 5.0, 5.0]
    """

    inner: Proximable
    map: LinearMap

    def __post_init__(self) -> None:
        convex_checked("the inner penalty of Composed", self.inner)

    @property
    def terms(self) -> tuple[Term, ...]:
        """The one term."""
        return (Term(self.inner, self.map),)

    def value(self, point: Tensor) -> Tensor:
        """Return inner(A x), a float64 scalar."""
        return self.inner.value(self.map.times(point.double()))

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return argmin_u h(u) + |u - point|^2 / (2 step), found by iteration; see ``iterated_prox``."""
        return iterated_prox(self.terms, point, step)
