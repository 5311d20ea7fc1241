"""The proximal operator of a sum of penalties behind linear maps, by accelerated ascent on its dual."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gradus.core.errors import InputError
from gradus.core.splitting import Split, distance
from gradus.penalties.checks import positive_step

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Term

MOST_ITERATIONS = 20_000
# the iteration ends where the constraint p = A x holds to this fraction of the size of x or A x
PRECISION = 1e-11
NORM_MARGIN = 1.02


def iterated_prox(terms: tuple[Term, ...], point: Tensor, step: float) -> Tensor:
    """Return argmin_x g(x) + sum_k h_k(A_k x) + |x - v|^2 / (2 step), in the dtype of ``point``.

    With x(u) = prox_g(v - step A'u, step) the gradient of the dual is A x(u), and is step |A|^2 Lipschitz. FISTA with
    restart on u, in float64, each step the prox of h_k* by Moreau's identity.

    Parameters
    ----------
    terms : convex
    point : v, any shape that the terms take
    step : positive

    Raises
    ------
    InputError : if the step is not positive, or 20,000 iterations do not get there, as where no point is in the domain
        of every term

    References
    ----------
    Combettes & Pesquet 2011, Proximal splitting methods in signal processing, section 5; Beck & Teboulle 2009
    """
    positive_step(step)
    split, wide = Split.of(terms), point.double()
    norm = NORM_MARGIN * split.norm(wide)
    if not split.mapped or norm == 0.0:
        return split.prox(wide, step).to(point.dtype)
    dual_step = 1.0 / (step * norm**2)
    duals = ahead = tuple(image * 0.0 for image in split.times(wide))
    momentum = 1.0
    for _ in range(MOST_ITERATIONS):
        found = split.prox(wide - step * split.adjoint_times(ahead, wide), step)
        images = split.times(found)
        stepped = split.dual_step(ahead, images, dual_step)
        apart = distance(stepped, ahead) / dual_step
        if apart <= PRECISION * max(distance(images), norm * distance((found,)), norm * distance((wide,))):
            return found.to(point.dtype)
        uphill = sum(
            float(((at - new) * (new - old)).sum()) for at, new, old in zip(ahead, stepped, duals, strict=True)
        )
        following = 1.0 if uphill > 0 else 0.5 * (1.0 + math.sqrt(1.0 + 4.0 * momentum**2))
        reach = 0.0 if uphill > 0 else (momentum - 1.0) / following
        ahead = tuple(new + reach * (new - old) for new, old in zip(stepped, duals, strict=True))
        duals, momentum = stepped, following
    raise InputError(
        f"the prox of a sum of {len(terms)} penalties was not found in {MOST_ITERATIONS} iterations: check that some "
        "point satisfies all of them"
    )
