"""What a fit that fell short of its tolerance says, and whether it had a minimum to find."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gradus.core.solution import Status

if TYPE_CHECKING:
    from gradus.core.solution import Solution
    from gradus.losses import CrossEntropy, LinearModel

SEPARABLE = (
    "the classes are linearly separable and alpha is 0, so no finite weights minimise the loss: "
    "these are the ones the solver stopped at; give alpha > 0"
)
_ADVICE = {
    Status.ITERATION_LIMIT: "raise max_iter, scale the features or raise tol",
    Status.STALLED: "give the data in float64, scale the features or raise tol",
    Status.DIVERGED: "scale the features, whose values are too large",
}


def shortfall(solution: Solution, tolerance: float, *, is_gap: bool) -> str:
    """Return the sentence about a solution above the tolerance, with how far it got; "" where it is not.

    ``is_gap`` says that the certificate is a duality gap, and not a gradient.
    """
    if solution.converged:
        return ""
    what = "relative duality gap" if is_gap else "relative gradient"
    return (
        f"after {solution.iterations} iterations the {what} is {solution.certificate:.2e}, above "
        f"tol={tolerance:g} ({solution.status.value}): {_ADVICE[solution.status]}"
    )


def separated(model: LinearModel[CrossEntropy], solution: Solution) -> bool:
    """Tell whether every weighted row's own logit is strictly above the others: then larger weights are always better.

    Where labels are probabilities it is not asked.
    """
    if model.loss.targets.ndim == 2:
        return False
    for block in model.blocks:
        logits = model.logits(solution.point, block.features)
        label = block.loss.targets[:, None]
        own = logits.gather(1, label)
        others = logits.scatter(1, label, -math.inf).amax(dim=1, keepdim=True)
        if not bool(((own > others)[:, 0] | (block.weights == 0)).all()):
            return False
    return True
