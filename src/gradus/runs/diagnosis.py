"""What gradus found on this machine."""

from __future__ import annotations

from typing import Any

from gradus.kernels import dispatch
from gradus.runs.environment import describe_machine

_COMPILER = {"reference": "reference (torch)", "cpu": "compiled (numba)", "cuda": "compiled (triton)"}


def diagnose() -> dict[str, dict[str, Any]]:
    """Return versions, machine, and the implementation of every kernel on every device that is here."""
    import torch

    machine = describe_machine()
    versions = machine.pop("versions")
    devices = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])
    kernels = {
        kernel: ", ".join(f"{_COMPILER[dispatch.chosen(kernel, device)]} on {device}" for device in devices)
        for kernel in dispatch.kernels()
    }
    return {"versions": versions, "machine": machine, "kernels": kernels}
