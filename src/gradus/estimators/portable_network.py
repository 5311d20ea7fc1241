"""Classifiers whose network is on a GPU are pickled so that they can be used without one."""

from __future__ import annotations

import copy
from typing import Any

import torch
from sklearn.base import BaseEstimator
from torch.utils._pytree import tree_map

from gradus.core.devices import working_device
from gradus.core.errors import UnavailableError


class PortableNetwork(BaseEstimator):
    """What ``pickle`` and ``copy`` are given holds numbers of the processor; where it is read the network goes back.

    That is to the ``device`` of the settings, or where that is not there, it stays on the processor.
    """

    network_: torch.nn.Module
    device: Any

    def __getstate__(self) -> Any:
        state: dict[str, Any] = super().__getstate__()
        network = state.get("network_")
        if network is None or on_device_of(network).type == "cpu":
            return state
        carried = {name: tree_map(_on_host, state[name]) for name in ("_moments",) if name in state}
        return state | {"network_": copy.deepcopy(network).cpu()} | carried

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "network_" not in state:
            return
        try:
            self.network_ = self.network_.to(working_device(self.device))
        except UnavailableError:
            self.network_ = self.network_.cpu()


def on_device_of(network: torch.nn.Module) -> torch.device:
    """Return the device that a network is on; the processor if it has no parameters."""
    first = next(network.parameters(), None)
    return torch.device("cpu") if first is None else first.device


def _on_host(value: Any) -> Any:
    return value.cpu() if isinstance(value, torch.Tensor) else value
