"""A step size for each weight that grows while the weight keeps its direction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gradus.optim.stepping import below_one, loss_of, not_negative, with_gradients

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.optim.optimizer import ParamsT


class DeltaBarDelta(torch.optim.Optimizer):
    """Momentum with a gain for each entry, the rule that t-SNE is trained by; for gradients without noise.

    gain <- max(gain + up where v g < 0, else gain * down, least)
    v <- momentum v - lr gain g
    p <- p + v

    v g < 0 says that the velocity still goes downhill. Unlike in ``torch.optim.Rprop`` the size of the gradient counts.

    Parameters
    ----------
    params : parameters, or groups of them
    lr : the learning rate, not negative
    momentum : from 0 to below 1
    up : what is added to a gain, not negative
    down : what a gain is multiplied by, from 0 to below 1
    least : the smallest gain, not negative

    Raises
    ------
    InputError : if a setting is out of its range

    References
    ----------
    Jacobs 1988, Increased rates of convergence through learning rate adaptation; van der Maaten & Hinton 2008, section
    3.4

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = DeltaBarDelta([weight], lr=0.1)
    >>> for _ in range(60):
    ...     optimizer.zero_grad()
    ...     weight.square().sum().backward()
    ...     optimizer.step()
    >>> abs(weight.item()) < 1e-2
    True
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-2,
        *,
        momentum: float = 0.8,
        up: float = 0.2,
        down: float = 0.8,
        least: float = 0.01,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "up": up, "down": down, "least": least})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, or raise InputError where one of its settings is out of its range."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for name in ("lr", "up", "least"):
            not_negative(f"DeltaBarDelta's {name}", group[name])
        for name in ("momentum", "down"):
            below_one(f"DeltaBarDelta's {name}", group[name])

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take one step; return the closure's loss."""
        loss = loss_of(closure)
        for group in self.param_groups:
            for parameter, gradient in with_gradients(group):
                state = self.state[parameter]
                if "velocity" not in state:
                    state["velocity"], state["gain"] = torch.zeros_like(gradient), torch.ones_like(gradient)
                velocity, gain = state["velocity"], state["gain"]
                rising = gain + group["up"]
                gain.mul_(group["down"]).copy_(rising.where(velocity * gradient < 0, gain)).clamp_min_(group["least"])
                velocity.mul_(group["momentum"]).addcmul_(gain, gradient, value=-group["lr"])
                parameter.add_(velocity)
        return loss
