"""What is checked: a function and the pullback that claims to be its gradient's, whatever form they come in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Arrays = tuple[Tensor, ...]
Gradients = tuple[Tensor | None, ...]


class Subject(Protocol):
    """A function of tensors and its pullback."""

    def forward(self, inputs: Arrays) -> Arrays:
        """Return the floating-point outputs."""

    def pullback(self, upstreams: Arrays, inputs: Arrays) -> Gradients:
        """Return a gradient for every input; None stands for one that was not given."""


@dataclass(frozen=True)
class ByAutograd:
    """A function whose gradient is what torch.autograd makes of it: autograd functions, operators, modules."""

    function: Callable[..., Any]

    def forward(self, inputs: Arrays) -> Arrays:
        """Return the floating-point outputs."""
        with torch.no_grad():
            return outputs_of(self.function(*inputs))

    def pullback(self, upstreams: Arrays, inputs: Arrays) -> Gradients:
        """Return a gradient for every input."""
        leaves = tuple(x.detach().requires_grad_() if x.is_floating_point() else x for x in inputs)
        with torch.enable_grad():
            outputs = outputs_of(self.function(*leaves))
        kept = [(y, u) for y, u in zip(outputs, upstreams, strict=True) if y.requires_grad]
        wanted = [x for x in leaves if x.requires_grad]
        if not kept or not wanted:
            return (None,) * len(inputs)
        found = iter(torch.autograd.grad([y for y, _ in kept], wanted, [u for _, u in kept], allow_unused=True))
        return tuple(next(found) if x.requires_grad else None for x in leaves)


@dataclass(frozen=True)
class Pair:
    """A forward function and a backward function of (upstream, *inputs), or (*upstreams, *inputs) of several."""

    function: Callable[..., Any]
    backward: Callable[..., Any]

    def forward(self, inputs: Arrays) -> Arrays:
        """Return the floating-point outputs."""
        with torch.no_grad():
            return outputs_of(self.function(*inputs))

    def pullback(self, upstreams: Arrays, inputs: Arrays) -> Gradients:
        """Return a gradient for every input."""
        with torch.no_grad():
            return aligned(self.backward(*upstreams, *inputs), inputs)


@dataclass(frozen=True)
class NumpyPair:
    """The same for functions of NumPy arrays."""

    function: Callable[..., Any]
    backward: Callable[..., Any]

    def forward(self, inputs: Arrays) -> Arrays:
        """Return the floating-point outputs."""
        # values that are not finite are looked at by whoever asked for them
        with np.errstate(all="ignore"):
            return outputs_of(_tensors(self.function(*_arrays(inputs))))

    def pullback(self, upstreams: Arrays, inputs: Arrays) -> Gradients:
        """Return a gradient for every input."""
        with np.errstate(all="ignore"):
            return aligned(_tensors(self.backward(*_arrays(upstreams), *_arrays(inputs))), inputs)


def subject_of(function: Any, pullback: Callable[..., Any] | None, inputs: Sequence[Any]) -> tuple[Subject, Arrays]:
    """Return what is checked and its inputs as tensors.

    Raises
    ------
    InputError : if there is no floating-point input, an input is complex or no array, or NumPy has no pullback
    """
    function = (
        function.apply if isinstance(function, type) and issubclass(function, torch.autograd.Function) else function
    )
    numpy = any(isinstance(value, np.ndarray | np.generic) for value in inputs)
    tensors = tuple(_tensor(value, position) for position, value in enumerate(inputs))
    if not any(x.is_floating_point() for x in tensors):
        raise InputError(
            f"none of the {len(tensors)} inputs is a floating-point array, so that there is no gradient to check: "
            "give at least one"
        )
    if numpy and pullback is None:
        raise InputError("a function of NumPy arrays has no gradient of its own: give its pullback too")
    if pullback is None:
        return ByAutograd(function), tensors
    return (NumpyPair if numpy else Pair)(function, pullback), tensors


def outputs_of(value: Any) -> Arrays:
    """Return the floating-point tensors of what a function returned."""
    values = value if isinstance(value, tuple | list) else (value,)
    if not all(isinstance(y, Tensor) for y in values):
        kinds = ", ".join(sorted({type(y).__name__ for y in values if not isinstance(y, Tensor)}))
        raise InputError(f"the function returned {kinds}; expected a tensor or a tuple of tensors")
    floating = tuple(y for y in values if y.is_floating_point())
    if not floating:
        raise InputError("the function returned no floating-point tensor, so that there is nothing to differentiate")
    return floating


def aligned(gradients: Any, inputs: Arrays) -> Gradients:
    """Return one gradient per input of what a backward function returned, for all inputs or the floating ones."""
    values = tuple(gradients) if isinstance(gradients, tuple | list) else (gradients,)
    if len(values) == len(inputs):
        return values
    floating = [x.is_floating_point() for x in inputs]
    if len(values) != sum(floating):
        raise InputError(
            f"the pullback returned {len(values)} gradients; expected {len(inputs)}, one for each input, "
            f"or {sum(floating)}, one for each floating-point input"
        )
    rest = iter(values)
    return tuple(next(rest) if wanted else None for wanted in floating)


def _tensor(value: Any, position: int) -> Tensor:
    if isinstance(value, np.ndarray | np.generic):
        value = torch.from_numpy(np.array(value))
    elif isinstance(value, bool | int | float):
        value = torch.tensor(value, dtype=torch.float64 if isinstance(value, float) else None)
    if not isinstance(value, Tensor):
        raise InputError(f"input {position} is a {type(value).__name__}; expected a tensor, an array or a number")
    if value.is_complex():
        raise InputError(f"input {position} is complex, which is not checked: give its real and imaginary parts")
    return value.detach()


def _arrays(tensors: Arrays) -> list[Any]:
    return [x.detach().numpy() for x in tensors]


def _tensors(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return tuple(_tensors(part) for part in value)
    return torch.from_numpy(np.asarray(value)) if isinstance(value, np.ndarray | np.generic | float) else value
