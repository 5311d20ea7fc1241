"""L-BFGS for a squared penalty and many classes: its preconditioner is made anew as the fit gets better."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.losses.shared_preconditioner import OutputCurvature, SharedPreconditioner, Spectrum
from gradus.solvers import RenewedLBFGS

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.losses import CrossEntropy, LinearModel

# rows that the curvature of each class is estimated from, for all together and for each of many
ROWS, ROWS_OF_A_CLASS = 16_384, 160


def renewed_lbfgs(model: LinearModel[CrossEntropy], ridge: float) -> RenewedLBFGS:
    """Return the solver for ``model`` plus ridge / 2 |W|^2.

    Cost of a preconditioner: half a gradient of 16,384 rows, or of 160 for each class, to twice as many; once a
    factorisation of a features x features matrix.
    """
    spectrum = Spectrum.of(model, diagonal=False)
    rows = max(ROWS, ROWS_OF_A_CLASS * model.loss.outputs)

    def renew(point: Tensor) -> SharedPreconditioner:
        return SharedPreconditioner(spectrum, OutputCurvature.at(model, point, rows), ridge, model.intercept)

    return RenewedLBFGS(renew)
