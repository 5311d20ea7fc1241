"""Several penalties at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.core.protocols import Proximable, Splittable, Term
from gradus.penalties.iterated_prox import iterated_prox
from gradus.penalties.nonconvex import convex_checked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


@dataclass(frozen=True)
class Sum:
    """The penalty h(x) = sum_k parts_k(x), of convex penalties.

    ``DavisYin`` and ``PrimalDual`` of ``gradus.solvers`` take the parts one by one, each with its own prox. The prox of
    the sum has no closed form; where it is asked for it is iterated until it is right to about ten digits.

    Parameters
    ----------
    parts : one penalty or more; of a solution the first one without a linear map holds exactly (its zeros are zeros,
        its set is not left), the others to the solver's tolerance

    Raises
    ------
    InputError : if there is no part, or a part is not a convex penalty

    References
    ----------
    Davis & Yin 2017, A three-operator splitting scheme; Combettes & Pesquet 2011, section 5 (the prox)

    Examples
    --------
    >>> from gradus.penalties import L1, Nonnegative
    >>> penalty = Sum([Nonnegative(), L1(1.0)])
    >>> penalty.value(torch.tensor([3.0, 0.5])).item(), penalty.value(torch.tensor([3.0, -0.5])).item()
    (3.5, inf)
    >>> penalty.prox(torch.tensor([3.0, -0.5]), step=1.0)
    tensor([2., 0.])
    """

    parts: Sequence[Proximable]

    def __post_init__(self) -> None:
        if not self.parts:
            raise InputError("Sum was given no parts; expected one penalty or more")
        for number, part in enumerate(self.parts):
            convex_checked(f"part {number} of a Sum", part)

    @property
    def terms(self) -> tuple[Term, ...]:
        """The parts, those that are sums themselves pulled apart."""
        found: list[Term] = []
        for part in self.parts:
            found.extend(part.terms if isinstance(part, Splittable) else [Term(part, None)])
        return tuple(found)

    def value(self, point: Tensor) -> Tensor:
        """Return the sum of the parts' values, a float64 scalar."""
        return torch.stack([part.value(point) for part in self.parts]).sum()

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return argmin_u h(u) + |u - point|^2 / (2 step), found by iteration; see ``iterated_prox``."""
        return iterated_prox(self.terms, point, step)
