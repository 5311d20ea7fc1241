"""A step of Newton's method on what is not zero, for quadratics plus absolute values, squares and norms.

Descents on one entry or block after the other find soon which entries are zero, and then take hundreds of sweeps where
the matrix is badly conditioned. This goes where they would end up, if no entry changed its sign on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    Product = Callable[[Tensor], Tensor]
    Among = Callable[[int, Tensor], Tensor]

# entries of one output that are solved for together, at most: the cube of that is what a factorisation costs
TOGETHER = 512
# conjugate gradients end at this fraction of the first residual, or after so many products
LEFT, PRODUCTS = 0.03, 20
# times that a step is halved before it is given up
HALVINGS = 4


class Place(NamedTuple):
    """A point X, (outputs, rows), of the function q(X) + sum_j (sum_k (u_kj |X_kj| + v_kj X_kj^2 / 2) + n_j |X_j|).

    Attributes
    ----------
    point : X, float64
    slopes : the gradient of the quadratic q at X
    absolute, square : u and v, in the shape of X, not negative
    norms : n, (rows,), not negative
    """

    point: Tensor
    slopes: Tensor
    absolute: Tensor
    square: Tensor
    norms: Tensor

    @property
    def penalty(self) -> Tensor:
        """What is added to q."""
        separate = self.absolute * self.point.abs() + 0.5 * self.square * self.point.square()
        total: Tensor = separate.sum() + self.norms @ torch.linalg.vector_norm(self.point, dim=0)
        return total


def support_step(place: Place, product: Product, among: Among) -> Place | None:
    """Return a place where the function is lower, found among the entries that are not zero; None where none was.

    The step solves Newton's equation on those entries by conjugate gradients, preconditioned by the exact inverse among
    up to 512 neighbours of each output. Entries that would change sign while their absolute values count end at 0.
    The function's value there decides, and the step is halved until it is lower.

    Cost: about 20 products at most, and the Cholesky factors of the blocks.

    Parameters
    ----------
    product : D -> B D, the Hessian of q times a matrix in the shape of the point
    among : (output, rows) -> B among these entries, positive semidefinite

    References
    ----------
    Andrew & Gao 2007, Scalable training of L1-regularized log-linear models (steps inside one orthant); Byrd, Chin,
    Nocedal & Oztoprak 2016, A family of second-order methods for convex l1-regularized optimization, section 3
    """
    surface = _Surface.at(place, product)
    way, turned = _solved(surface, _inverse(surface, among))
    length = 1.0
    for _ in range(HALVINGS):
        reached = place.point + length * way
        crossed = (reached * place.point < 0) & (place.absolute > 0)
        moved = torch.where(crossed, -place.point, length * way)
        change = product(moved) if crossed.any() else length * turned
        found = place._replace(point=torch.where(crossed, 0.0, reached), slopes=place.slopes + change)
        if (moved * (place.slopes + 0.5 * change)).sum() + found.penalty - place.penalty < 0:
            return found
        length *= 0.5
    return None


class _Surface(NamedTuple):
    """The function around a place as a quadratic, on the entries that are not zero or free: 0 <= ``support`` <= 1.

    ``directions`` are X_j / |X_j| and ``bends`` n_j / |X_j|: the norm's Hessian is n / |X| (1 - X X' / |X|^2).
    """

    place: Place
    product: Product
    support: Tensor
    directions: Tensor
    bends: Tensor

    @classmethod
    def at(cls, place: Place, product: Product) -> _Surface:
        lengths = torch.linalg.vector_norm(place.point, dim=0).clamp_min(torch.finfo(torch.float64).tiny)
        bends = place.norms / lengths
        support = (place.point != 0) | ((place.absolute == 0) & (place.norms == 0))
        return cls(place, product, support, place.point / lengths, torch.where(lengths > 1e-200, bends, 0.0))

    @property
    def slopes(self) -> Tensor:
        point = self.place.point
        slopes = self.place.slopes + self.place.absolute * point.sign() + (self.place.square + self.bends) * point
        return slopes * self.support

    @property
    def ridges(self) -> Tensor:
        return self.place.square + self.bends * (1.0 - self.directions.square())

    def bent(self, direction: Tensor, change: Tensor) -> Tensor:
        """Return the Hessian times ``direction``, whose product with B is ``change``."""
        along = self.directions * (self.directions * direction).sum(dim=0)
        return (change + self.place.square * direction + self.bends * (direction - along)) * self.support


def _solved(surface: _Surface, inverse: Product) -> tuple[Tensor, Tensor]:
    """Return Newton's step and its product with B, by preconditioned conjugate gradients."""
    residual = -surface.slopes
    way, turned = torch.zeros_like(residual), torch.zeros_like(residual)
    scaled = inverse(residual)
    direction, size = scaled, (residual * scaled).sum()
    enough = LEFT**2 * size
    for _ in range(PRODUCTS):
        change = surface.product(direction)
        bent = surface.bent(direction, change)
        steepness = (direction * bent).sum()
        if not (size > enough and steepness > 0):
            break
        share = size / steepness
        way, turned = way + share * direction, turned + share * change
        residual = residual - share * bent
        scaled = inverse(residual)
        before, size = size, (residual * scaled).sum()
        direction = scaled + (size / before) * direction
    return way, turned


def _inverse(surface: _Surface, among: Among) -> Product:
    """Return the map that solves for blocks of the entries of one output, exactly but for what joins the blocks."""
    ridges, blocks = surface.ridges, []
    for output, support in enumerate(surface.support):
        rows = support.nonzero()[:, 0]
        for part in rows.tensor_split(max(1, -(-len(rows) // TOGETHER))):
            matrix = among(output, part).double()
            matrix.diagonal().add_(ridges[output, part])
            factor, failed = torch.linalg.cholesky_ex(matrix)
            solve = torch.diag(1.0 / matrix.diagonal()) if failed else torch.cholesky_inverse(factor)
            blocks.append((output, part, solve))

    def inverse(residual: Tensor) -> Tensor:
        solved = torch.zeros_like(residual)
        for output, part, solve in blocks:
            solved[output, part] = solve @ residual[output, part]
        return solved

    return inverse
