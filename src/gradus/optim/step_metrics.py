"""How long an optimiser's step is, entry by entry: the metric that its proximal step must use.

An optimiser moves a parameter by -s_i times an average of gradients whose weights sum to 1; the metric is
d_i = 1 / s_i. A parameter that stays then satisfies 0 in gradient + subdifferential(penalty), whatever the s_i: the
penalty that was asked for is the one that is solved. Sign and matrix steps (Lion, Muon, Rprop) are no such averages;
for them the step is the length that an entry or the matrix may move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from gradus.core.errors import InputError
from gradus.optim.delta_bar_delta import DeltaBarDelta
from gradus.optim.lion import Lion
from gradus.optim.muon import Muon
from gradus.optim.step_scales import keller_scale, rms_scale

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


@dataclass(frozen=True)
class Step:
    """What is known of a step that was just taken.

    Parameters
    ----------
    optimizer : whose step it was
    group : the parameter's group, with its learning rate
    state : the optimiser's state of the parameter, after the step
    before : copies from before the step of the tensors of the state that the rule ``keeps``; none at the first
    shape : the parameter's
    """

    optimizer: torch.optim.Optimizer
    group: dict[str, Any]
    state: dict[str, Any]
    before: dict[str, Tensor]
    shape: torch.Size

    @property
    def lr(self) -> float:
        """The learning rate, positive."""
        return float(self.group["lr"])

    @property
    def count(self) -> float:
        """How many steps the parameter took, this one included."""
        return float(self.state["step"])


@dataclass(frozen=True)
class MetricRule:
    """The metric of an optimiser's steps.

    Parameters
    ----------
    metric : returns d, a tensor of the parameter's shape, or a number where all entries share it
    diagonal : whether it returns a tensor, so that penalties need a prox in a metric
    keeps : names of tensors of the state whose values before the step it needs
    """

    metric: Callable[[Step], Tensor | float]
    diagonal: bool
    keeps: tuple[str, ...] = ()


def _sgd(step: Step) -> float:
    # a buffer of momentum m adds up 1 + m + m^2 + ... gradients
    momentum = step.group["momentum"]
    metric: float = (1.0 - momentum) / (step.lr * (1.0 - step.group["dampening"] * (momentum > 0)))
    return metric


def _adam(step: Step) -> Tensor:
    squares = step.state["max_exp_avg_sq" if step.group["amsgrad"] else "exp_avg_sq"]
    return _root(step, squares).div_(step.lr)


def _nadam(step: Step) -> Tensor:
    first, decay, product = step.group["betas"][0], step.group["momentum_decay"], float(step.state["mu_product"])
    now = first * (1.0 - 0.5 * 0.96 ** (step.count * decay))
    following = first * (1.0 - 0.5 * 0.96 ** ((step.count + 1) * decay))
    averaged = following * (1.0 - first**step.count) / (1.0 - product * following)
    return _root(step, step.state["exp_avg_sq"]).div_(step.lr * ((1.0 - now) / (1.0 - product) + averaged))


def _root(step: Step, squares: Tensor) -> Tensor:
    correction = 1.0 - step.group["betas"][1] ** step.count
    return squares.div(correction).sqrt_().add_(step.group["eps"])


def _radam(step: Step) -> Tensor:
    second, squares = step.group["betas"][1], step.state["exp_avg_sq"]
    most, power = 2.0 / (1.0 - second) - 1.0, second**step.count
    length = most - 2.0 * step.count * power / (1.0 - power)
    if length <= 5.0:
        return torch.full_like(squares, 1.0 / step.lr)
    rectified = ((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)) ** 0.5
    metric: Tensor = squares.sqrt().add_(step.group["eps"]).div_(step.lr * rectified * (1.0 - power) ** 0.5)
    return metric


def _adamax(step: Step) -> Tensor:
    norms: Tensor = step.state["exp_inf"]
    return norms / step.lr


def _rmsprop(step: Step) -> Tensor:
    squares: Tensor = step.state["square_avg"]
    if step.group["centered"]:
        squares = squares.addcmul(step.state["grad_avg"], step.state["grad_avg"], value=-1)
    return squares.sqrt().add_(step.group["eps"]).mul_((1.0 - step.group["momentum"]) / step.lr)


def _adagrad(step: Step) -> Tensor:
    rate = step.lr / (1.0 + (step.count - 1.0) * step.group["lr_decay"])
    metric: Tensor = step.state["sum"].sqrt().add_(step.group["eps"]).div_(rate)
    return metric


def _adadelta(step: Step) -> Tensor:
    squares: Tensor = step.state["square_avg"]
    eps = step.group["eps"]
    moved = step.before.get("acc_delta", torch.zeros_like(squares))
    return squares.add(eps).div_(moved.add(eps)).sqrt_().div_(step.lr)


def _asgd(step: Step) -> float:
    before = step.before.get("eta")
    return 1.0 / (step.lr if before is None else float(before))


def _delta_bar_delta(step: Step) -> Tensor:
    gains: Tensor = step.state["gain"]
    metric: Tensor = (1.0 - step.group["momentum"]) / (step.lr * gains)
    return metric


def _muon(step: Step) -> float:
    assert isinstance(step.optimizer, Muon)
    return 1.0 / (step.lr * step.optimizer.scale(step.shape[0], step.shape[1:].numel()))


def _torchs_muon(step: Step) -> float:
    scale = rms_scale if step.group["adjust_lr_fn"] == "match_rms_adamw" else keller_scale
    return 1.0 / (step.lr * scale(step.shape[0], step.shape[1]))


def _learning_rate(step: Step) -> float:
    return 1.0 / step.lr


def _rprop(step: Step) -> Tensor:
    sizes: Tensor = step.state["step_size"]
    return 1.0 / sizes


RULES: dict[type[torch.optim.Optimizer], MetricRule] = {
    torch.optim.SGD: MetricRule(_sgd, diagonal=False),
    torch.optim.ASGD: MetricRule(_asgd, diagonal=False, keeps=("eta",)),
    torch.optim.Adam: MetricRule(_adam, diagonal=True),
    torch.optim.NAdam: MetricRule(_nadam, diagonal=True),
    torch.optim.RAdam: MetricRule(_radam, diagonal=True),
    torch.optim.Adamax: MetricRule(_adamax, diagonal=True),
    torch.optim.RMSprop: MetricRule(_rmsprop, diagonal=True),
    torch.optim.Adagrad: MetricRule(_adagrad, diagonal=True),
    torch.optim.Adadelta: MetricRule(_adadelta, diagonal=True, keeps=("acc_delta",)),
    torch.optim.Rprop: MetricRule(_rprop, diagonal=True),
    DeltaBarDelta: MetricRule(_delta_bar_delta, diagonal=True),
    Lion: MetricRule(_learning_rate, diagonal=False),
    Muon: MetricRule(_muon, diagonal=False),
}
if "Muon" in torch.optim.__all__:  # from torch 2.9 on
    RULES[torch.optim.Muon] = MetricRule(_torchs_muon, diagonal=False)


def rule_of(optimizer: torch.optim.Optimizer) -> MetricRule:
    """Return the rule of an optimiser, that of its nearest base class that has one.

    Raises
    ------
    InputError : if none has

    Examples
    --------
    >>> rule_of(torch.optim.AdamW([torch.nn.Parameter(torch.zeros(2))])).diagonal
    True
    """
    for kind in type(optimizer).__mro__:
        if kind in RULES:
            return RULES[kind]
    known = ", ".join(sorted({kind.__name__ for kind in RULES}))
    raise InputError(
        f"the metric of {type(optimizer).__name__}'s steps is not known; known are those of {known}: give one as rule="
    )
