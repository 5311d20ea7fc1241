"""Functions on a GPU: they are called there, and everything else of a check is done on the processor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradus.check.subject import outputs_of
from gradus.core.devices import require_one_device

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from gradus.check.subject import Arrays, Gradients, Subject

# a storage is carried whole, with what lies around the numbers, up to so many times their extent and so many more
AROUND, MORE = 4, 4096


@dataclass(frozen=True)
class OnDevice:
    """A subject that is called on a device with copies of its inputs, laid out in memory as they are here.

    What its pullback writes into its inputs is seen here too.
    """

    subject: Subject
    device: torch.device

    def forward(self, inputs: Arrays) -> Arrays:
        """Return the floating-point outputs, on the processor."""
        return tuple(y.cpu() for y in self.subject.forward(_all_carried(inputs, self.device)))

    def pullback(self, upstreams: Arrays, inputs: Arrays) -> Gradients:
        """Return a gradient for every input, on the processor."""
        given = (*upstreams, *inputs)
        sent = _all_carried(given, self.device)
        found = self.subject.pullback(sent[: len(upstreams)], sent[len(upstreams) :])
        for here, there in zip(given, sent, strict=True):
            _whole(here).copy_(_whole(there))
        return tuple(None if gradient is None else gradient.cpu() for gradient in found)


def called_on(device: torch.device, function: Callable[..., Any]) -> Callable[..., Arrays]:
    """Return ``function`` of tensors on the processor, called on a device."""

    def called(*inputs: Tensor) -> Arrays:
        return tuple(y.cpu() for y in outputs_of(function(*_all_carried(inputs, device))))

    return called


def device_of(given: Sequence[Any]) -> torch.device:
    """Return the device that inputs are on, the processor for arrays of NumPy; numbers are anywhere.

    Raises
    ------
    InputError : if they are on two
    """
    placed: dict[str, Tensor] = {}
    for place, value in enumerate(given):
        if isinstance(value, torch.Tensor):
            placed[f"input {place}"] = value
        elif isinstance(value, np.ndarray):
            placed[f"input {place}"] = torch.empty(0)
    require_one_device(**placed)
    return next(iter(placed.values())).device if placed else torch.device("cpu")


def at_home(inputs: Arrays) -> Arrays:
    """Return copies on the processor, laid out as they are."""
    return _all_carried(inputs, torch.device("cpu"))


def _all_carried(inputs: Sequence[Tensor], device: torch.device) -> Arrays:
    return tuple(_carried(x.detach(), device) for x in inputs)


def _carried(x: Tensor, device: torch.device) -> Tensor:
    """Return ``x`` on a device with its strides, between what it lies between."""
    offset = x.storage_offset() if _is_whole(x) else 0
    return _whole(x).to(device).as_strided(x.shape, x.stride(), offset)


def _whole(x: Tensor) -> Tensor:
    """Return the storage of ``x`` as a vector; of one that is far larger, the part that ``x`` reaches over."""
    if _is_whole(x):
        return x.as_strided((_entries(x),), (1,), 0)
    return x.as_strided((_extent(x),), (1,))


def _is_whole(x: Tensor) -> bool:
    return _entries(x) <= AROUND * _extent(x) + MORE


def _entries(x: Tensor) -> int:
    return x.untyped_storage().nbytes() // x.element_size()


def _extent(x: Tensor) -> int:
    if not x.numel():
        return 0
    return 1 + sum((size - 1) * stride for size, stride in zip(x.shape, x.stride(), strict=True))
