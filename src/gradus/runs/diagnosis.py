"""What gradus found on this machine."""

from __future__ import annotations

from typing import Any

from gradus.kernels import dispatch
from gradus.runs.environment import describe_machine

_MADE_OF = {
    "reference": ("reference", "torch"),
    "cpu": ("compiled", "numba"),
    "accelerator": ("accelerator", "torch"),
    "cuda": ("compiled", "triton"),
}


def diagnose() -> dict[str, dict[str, Any]]:
    """Return versions, machine, and the implementation of every kernel on every device that is here."""
    import torch

    machine = describe_machine()
    versions = machine.pop("versions")
    devices = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])
    kernels = {
        kernel: ", ".join(f"{_named(kernel, device)} on {device}" for device in devices)
        for kernel in dispatch.kernels()
    }
    return {"versions": versions, "machine": machine, "kernels": kernels}


def _named(kernel: str, device: str) -> str:
    """Return what runs a kernel, and what is missing where it could be compiled and is not."""
    kind, made_of = _MADE_OF[dispatch.chosen(kernel, device)]
    missing = device in dispatch.implementations(kernel) and not dispatch.can_compile(device)
    return f"{kind} ({made_of}; triton is not installed)" if missing else f"{kind} ({made_of})"
