"""Momentum, orthogonalised: for filters of convolutions and for matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gradus.core.errors import InputError
from gradus.optim.newton_schulz import QUINTIC, newton_schulz
from gradus.optim.step_scales import keller_scale
from gradus.optim.stepping import below_one, loss_of, not_negative, some_of, whole, with_gradients

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor
    from torch.optim.optimizer import ParamsT


class Muon(torch.optim.Optimizer):
    """Muon for parameters of two or more axes: the weights of a convolution are a matrix with a row for each filter.

    b <- momentum b + (1 - momentum) g
    o = newton_schulz(momentum b + (1 - momentum) g, with ``nesterov``, else b)
    p <- (1 - lr weight_decay) p - lr scale(rows, columns) o

    ``torch.optim.Muon`` takes matrices only, and computes o in bfloat16; with ``compute_dtype=torch.bfloat16`` a matrix
    here takes the same steps as there, bit for bit. Biases, norms' weights and the last layer belong to another
    optimiser, as SGD or AdamW.

    Cost: per parameter of m <= n sides, 5 (4 m^2 n + 2 m^3) operations; one buffer of the parameter's size.

    Parameters
    ----------
    params : parameters of at least two axes, or groups of them
    lr : the learning rate, not negative; about 0.02, and with ``rms_scale`` AdamW's
    momentum : from 0 to below 1
    nesterov : whether the step looks ahead
    weight_decay : decoupled from the gradient, not negative
    iterations, coefficients : of ``newton_schulz``
    scale : how long a step is by the matrix' shape, a function of rows and columns
    unit_norm : whether each parameter is scaled to the norm rows^(1/2) before its step, as airbench does with filters
        that a batch norm follows, whose length does not matter
    compute_dtype : what ``newton_schulz`` computes in; None for the parameter's dtype

    Raises
    ------
    InputError : if a setting is out of its range or a parameter has fewer than two axes

    References
    ----------
    Jordan et al. 2024, Muon: an optimizer for hidden layers in neural networks; Jordan 2024, airbench

    Examples
    --------
    >>> filters = torch.nn.Parameter(torch.ones(2, 1, 1, 2))
    >>> optimizer = Muon([filters], lr=0.1, momentum=0.0, weight_decay=0.0)
    >>> filters.grad = torch.tensor([[[[3.0, 0.0]]], [[[0.0, 1.0]]]])
    >>> optimizer.step()
    >>> (1 - filters.flatten()).gt(0.05).tolist()
    [True, False, False, True]
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 0.02,
        *,
        momentum: float = 0.95,
        nesterov: bool = True,
        weight_decay: float = 0.0,
        iterations: int = 5,
        coefficients: tuple[float, float, float] = QUINTIC,
        scale: Callable[[int, int], float] = keller_scale,
        unit_norm: bool = False,
        compute_dtype: torch.dtype | None = None,
    ) -> None:
        # functions and dtypes stay out of the state, which torch.load then reads without running code
        self.scale, self._compute_dtype = scale, compute_dtype
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "nesterov": nesterov,
            "weight_decay": weight_decay,
            "iterations": iterations,
            "coefficients": coefficients,
            "unit_norm": unit_norm,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, or raise InputError for a setting out of its range or a parameter with fewer than two axes."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        not_negative("Muon's lr", group["lr"])
        not_negative("Muon's weight_decay", group["weight_decay"])
        below_one("Muon's momentum", group["momentum"])
        whole("Muon's iterations", group["iterations"])
        some_of("Muon's coefficients", group["coefficients"], 3)
        for parameter in group["params"]:
            if parameter.ndim < 2:
                raise InputError(
                    f"Muon was given a parameter of shape {tuple(parameter.shape)}; expected two axes or more: give "
                    "biases and norms to another optimiser, such as SGD"
                )

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take one step; return the closure's loss."""
        loss = loss_of(closure)
        for group in self.param_groups:
            for parameter, gradient in with_gradients(group):
                self._move(parameter, gradient, group)
        return loss

    def _move(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        buffer = state["momentum_buffer"].lerp_(gradient, 1 - group["momentum"])
        ahead = gradient.lerp(buffer, group["momentum"]) if group["nesterov"] else buffer
        matrix = ahead.flatten(1).to(self._compute_dtype or ahead.dtype)
        settings = {"iterations": group["iterations"], "coefficients": tuple(group["coefficients"])}
        update = newton_schulz(matrix, **settings).reshape(parameter.shape)
        if group["unit_norm"]:
            parameter.mul_(len(parameter) ** 0.5 / parameter.norm().clamp_min(torch.finfo(parameter.dtype).tiny))
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(update, alpha=-group["lr"] * self.scale(*matrix.shape))
