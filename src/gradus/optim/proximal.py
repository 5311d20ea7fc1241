"""A proximal step after any optimiser's own, in that optimiser's metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from gradus.core.errors import InputError
from gradus.core.protocols import MetricProximable, Proximable
from gradus.optim.step_metrics import Step, rule_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from gradus.optim.step_metrics import MetricRule


class Proximal(torch.optim.Optimizer):
    """Any optimiser, with penalties that make weights, filters or channels exactly zero.

    After the optimiser's step to z, each penalised parameter becomes

        argmin_u  h(u) + 1/2 sum_i d_i (u_i - z_i)^2

    with d the inverse of the steps that the optimiser has just taken: for Adam
    d_i = (sqrt(v_i / (1 - b2^t)) + eps) / lr, for SGD (1 - momentum) / lr. A parameter that stays minimises
    loss + penalty. An absolute value added to the loss leaves entries near 0 and never at 0, and a soft threshold of
    Adam's weights at lr * strength minimises something else. A diagonal metric needs ``prox_in_metric`` of the penalty.

    It is a ``torch.optim.Optimizer``: schedulers, ``GradScaler``, closures and parameter groups go through it, and its
    state is that of the optimiser inside, from which training goes on to the same bits. A parameter without gradient,
    or with a learning rate of 0, stays as it is.

    Cost: the optimiser's, and two passes over the penalised parameters; groups in a metric about six more in float64.

    Parameters
    ----------
    optimizer : the optimiser, already given the parameters
    penalties : from parameters of the optimiser to penalties; ``by_name`` makes such a mapping
    rule : the metric of the optimiser's steps; None for the known optimisers

    Raises
    ------
    InputError : if the optimiser does not have a penalised parameter, its metric is not known, or a penalty has no prox
        in a diagonal metric and needs one

    References
    ----------
    Yun, Lozano & Yang 2021, Adaptive proximal gradient methods for structured neural networks (ProxGen), algorithm 1

    Examples
    --------
    >>> from gradus.penalties import L1
    >>> weight = torch.nn.Parameter(torch.tensor([3.0, 0.2]))
    >>> optimizer = Proximal(torch.optim.SGD([weight], lr=0.1), {weight: L1(1.0)})
    >>> for _ in range(100):
    ...     optimizer.zero_grad()
    ...     (0.5 * (weight - torch.tensor([3.0, 0.2])).square().sum()).backward()
    ...     optimizer.step()
    >>> [round(entry, 4) for entry in weight.tolist()]
    [2.0, 0.0]
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        penalties: Mapping[nn.Parameter, Proximable],
        *,
        rule: MetricRule | None = None,
    ) -> None:
        if not isinstance(optimizer, torch.optim.Optimizer) or not isinstance(penalties, Mapping):
            raise InputError(
                f"Proximal was given {type(optimizer).__name__} and {type(penalties).__name__}; expected a "
                "torch.optim.Optimizer and a mapping from its parameters to penalties, such as by_name makes"
            )
        self._inner, self._penalties = optimizer, dict(penalties)
        self._rule = rule_of(optimizer) if rule is None else rule
        held = {parameter for group in optimizer.param_groups for parameter in group["params"]}
        for parameter, penalty in self._penalties.items():
            _checked(optimizer, parameter in held, penalty, self._rule)
        super().__init__(optimizer.param_groups, optimizer.defaults)
        self._share()

    def __getstate__(self) -> dict[str, Any]:
        """Return what copies and pickles are made of; a network in the same copy keeps its parameters in common."""
        return {"optimizer": self._inner, "penalties": self._penalties, "rule": self._rule}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Proximal.__init__(self, state["optimizer"], state["penalties"], rule=state["rule"])

    def _share(self) -> None:
        # the same objects, so that what a scheduler writes is what the optimiser reads
        self.param_groups, self.state = self._inner.param_groups, self._inner.state

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take the optimiser's step and the proximal ones; return the closure's loss."""
        before = self._kept()
        loss = self._inner.step(closure)
        for group in self.param_groups:
            for parameter in group["params"]:
                penalty = self._penalties.get(parameter)
                if penalty is not None and parameter.grad is not None and float(group["lr"]) > 0.0:
                    earlier = before.get(parameter, {})
                    step = Step(self._inner, group, self.state[parameter], earlier, parameter.shape)
                    parameter.copy_(_moved(penalty, parameter, self._rule.metric(step)))
        return loss

    def _kept(self) -> dict[Tensor, dict[str, Tensor]]:
        kept: dict[Tensor, dict[str, Tensor]] = {}
        for parameter in self._penalties if self._rule.keeps else ():
            state = self.state.get(parameter, {})
            kept[parameter] = {name: state[name].clone() for name in self._rule.keeps if name in state}
        return kept

    @torch.no_grad()
    def penalty(self) -> float:
        """Return the sum of the penalties at the parameters as they are."""
        return sum(float(penalty.value(parameter)) for parameter, penalty in self._penalties.items())

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the optimiser inside; penalties are not part of it."""
        return self._inner.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Give the optimiser inside its state back."""
        self._inner.load_state_dict(state_dict)
        self._share()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, without penalties, to the optimiser inside."""
        if any(param_group is group for group in self._inner.param_groups):
            return
        self._inner.add_param_group(param_group)
        self._share()


def _checked(optimizer: torch.optim.Optimizer, held: bool, penalty: Proximable, rule: MetricRule) -> None:
    name = type(optimizer).__name__
    if not held:
        raise InputError(f"a penalty is for a parameter that {name} was not given: give it to the optimiser first")
    if isinstance(penalty, type) or not isinstance(penalty, Proximable):
        raise InputError(
            f"a penalty is {penalty!r}; expected an object with value and prox, such as gradus.penalties.L1(1e-3)"
        )
    if rule.diagonal and not isinstance(penalty, MetricProximable):
        raise InputError(
            f"{type(penalty).__name__} has no prox in the diagonal metric of {name}'s steps; use another penalty, or "
            "an optimiser whose entries share a step, such as SGD or Muon"
        )


def _moved(penalty: Proximable, point: Tensor, metric: Tensor | float) -> Tensor:
    if isinstance(metric, float):
        return penalty.prox(point, 1.0 / metric)
    assert isinstance(penalty, MetricProximable)
    return penalty.prox_in_metric(point, metric)
