"""The duality gap of a squared penalty, guessed from the gradient at next to no cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from gradus.losses.sampling import evenly_spaced
from gradus.solvers.composite import inner

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.losses import LinearModel

# rows from which the features' variance is estimated
SPREAD_ROWS = 2048
# the estimate is rarely more than so many times the gap: where it is not known better, this is when to look
OPTIMISM = 0.1
# the certificate is looked at where its estimate is this much below the tolerance
MARGIN = 0.9
# and where it is known: at this much of how many times the gap was, when it was last looked at
CAUTION = 0.5
MOST_OPTIMISM = 10.0
# a step need not aim at less than this share of the tolerance
AIM = 0.25


class Descending(Protocol):
    """What is needed of a solver's state."""

    @property
    def point(self) -> Tensor:
        """Where it is."""

    @property
    def value(self) -> float:
        """The objective."""

    @property
    def gradient(self) -> Tensor:
        """Its gradient."""


@dataclass(frozen=True)
class GapEstimate:
    """About what the relative duality gap of ``model`` plus alpha / 2 |W|^2 is at a state of a solver.

    Where the intercept is balanced |gradient|^2 / (2 alpha) is the gap itself; to balance it moves the slopes as well.

    Attributes
    ----------
    alpha : strength, positive
    rows : rows of the point that are penalised
    spread : about how many times its square a derivative in the intercept adds to the squared slopes
    """

    alpha: float
    rows: int
    spread: float

    @classmethod
    def of(cls, model: LinearModel[Any], alpha: float) -> GapEstimate:
        """Return the estimate for ``model``, from some thousand evenly spaced rows."""
        some = evenly_spaced(model, SPREAD_ROWS)
        spread = float(some.squared_norms().sum()) + alpha / model.loss.typical_curvature()
        return cls(alpha, model.features.shape[1], spread)

    @property
    def exact(self) -> bool:
        """Whether it is the gap itself, as far as the intercept is balanced before the gap is looked at."""
        return self.spread == 0.0

    def __call__(self, state: Descending) -> float:
        """Return the estimate."""
        return self.at(state.gradient, state.value)

    def at(self, gradient: Tensor, value: float) -> float:
        """Return the estimate where the objective has this gradient and value."""
        slopes, rest = (inner(part, part) for part in (gradient[: self.rows], gradient[self.rows :]))
        return (slopes + self.spread * rest) / (2 * self.alpha) / max(abs(value), 1e-300)


class Outlook:
    """When the certificate is worth its cost: where the estimate, as far as it has been wrong so far, promises it.

    Parameters
    ----------
    estimate : of the certificate
    tolerance : what the certificate is compared with
    learns : whether a look changes what is expected of the next; else a tenth of the estimate is hoped for at any time.
        Of an exact one nothing is hoped for and nothing learned
    """

    def __init__(self, estimate: GapEstimate, tolerance: float, *, learns: bool) -> None:
        self._estimate, self._tolerance, self._learns = estimate, tolerance, learns and not estimate.exact
        self._hope, self._last = 1.0 if estimate.exact else OPTIMISM, 0.0

    def promising(self, state: Descending) -> bool:
        """Tell whether to look at a state."""
        self._last = self._estimate(state)
        return self._hope * self._last <= MARGIN * self._tolerance

    def looked(self, certificate: float) -> float:
        """Return the certificate of the state that was last asked about, which teaches how far to trust the next."""
        if self._learns and self._last > 0:
            self._hope = min(max(CAUTION * certificate / self._last, OPTIMISM), MOST_OPTIMISM)
        return certificate
