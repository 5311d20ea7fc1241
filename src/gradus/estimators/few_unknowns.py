"""When Newton's method has the Hessian as numbers: where weights and data are few."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.core.errors import InputError
from gradus.kernels.softmax_expansion import cost
from gradus.losses import CrossEntropy, LinearModel, MappedFeatures
from gradus.penalties import L2
from gradus.solvers import Newton, Terms

if TYPE_CHECKING:
    from gradus.core.protocols import Proximable

# most unknowns, and multiplications up to which to make the Hessian and to solve it costs less than the calls it saves
MOST_UNKNOWNS, CHEAP = 2048, 5_000_000


def newton_of_few(name: str, model: LinearModel[CrossEntropy], penalty: Proximable, *, held: bool) -> Newton | None:
    """Return Newton's method if it is the solver of that name, or of "auto" for data that is ``held`` and so small.

    Raises
    ------
    InputError : if it is named, and the penalty or the data is not for it
    """
    rows, outputs = model.shape
    in_memory = not isinstance(model.features, MappedFeatures)
    suits = isinstance(penalty, L2) and rows * outputs <= MOST_UNKNOWNS and in_memory
    if name == "newton" and not suits:
        raise InputError(
            f"solver is 'newton', which is for L2 and at most {MOST_UNKNOWNS} weights on data in memory, and the "
            f"penalty is {type(penalty).__name__} of {rows * outputs} weights: use 'auto'"
        )
    arithmetic = cost(model.samples, rows, outputs) + (rows * outputs) ** 3 // 3
    cheap = arithmetic <= CHEAP and held and model.weights.device.type == "cpu"
    chosen = name == "newton" or (name == "auto" and cheap)
    features = model.features.shape[1]
    return Newton(Terms(0.0, penalty.strength, features)) if isinstance(penalty, L2) and suits and chosen else None
