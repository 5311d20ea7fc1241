"""Steps of the sign of a momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gradus.optim.stepping import below_one, loss_of, not_negative, some_of, with_gradients

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.optim.optimizer import ParamsT


class Lion(torch.optim.Optimizer):
    """Lion, evolved sign momentum: every entry moves by the learning rate, up or down.

    p <- (1 - lr weight_decay) p - lr sign(b1 m + (1 - b1) g)
    m <- b2 m + (1 - b2) g

    Half of Adam's memory. Steps are larger than Adam's, so that a learning rate 3 to 10 times smaller serves, and a
    weight decay larger by as much.

    Parameters
    ----------
    params : parameters, or groups of them
    lr : the learning rate, not negative
    betas : b1 and b2, from 0 to below 1
    weight_decay : decoupled from the gradient, not negative

    Raises
    ------
    InputError : if a setting is out of its range

    References
    ----------
    Chen et al. 2023, Symbolic discovery of optimization algorithms, algorithm 2

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
    >>> optimizer = Lion([weight], lr=0.5)
    >>> weight.grad = torch.tensor([100.0, -0.001])
    >>> optimizer.step()
    >>> weight.tolist()
    [0.5, 1.5]
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-4,
        *,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, or raise InputError where one of its settings is out of its range."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        not_negative("Lion's lr", group["lr"])
        not_negative("Lion's weight_decay", group["weight_decay"])
        some_of("Lion's betas", group["betas"], 2)
        below_one("Lion's first beta", group["betas"][0])
        below_one("Lion's second beta", group["betas"][1])

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take one step; return the closure's loss."""
        loss = loss_of(closure)
        for group in self.param_groups:
            first, second = group["betas"]
            for parameter, gradient in with_gradients(group):
                state = self.state[parameter]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(gradient)
                momentum = state["momentum_buffer"]
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(momentum.lerp(gradient, 1 - first).sign_(), alpha=-group["lr"])
                momentum.lerp_(gradient, 1 - second)
        return loss
