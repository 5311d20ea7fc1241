"""Which implementation of a kernel runs: decided here and nowhere else.

A kernel is a folder of this package. ``reference.py`` is always there and right on any device; ``cpu.py`` and
``cuda.py`` are there where a faster one exists. The device of the data decides, unless one is forced. ``cuda.py`` is
written in Triton: where that is not installed, or on another device, ``accelerator.py`` serves if it is there, which is
written in torch for large memories and many cores, and else the reference.

Triton's interpreter (``TRITON_INTERPRET=1``, read when a kernel is first loaded) runs ``cuda.py`` step by step without
a device, on tensors of the processor; there it must be forced.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any

from gradus.core.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

IMPLEMENTATIONS = ("reference", "cpu", "accelerator", "cuda")
# written in torch, for any device
ANYWHERE = ("reference", "accelerator")

_forced: ContextVar[str | None] = ContextVar("forced implementation", default=None)


def kernels() -> list[str]:
    """Return the names of all kernels, in alphabetical order."""
    package = importlib.import_module("gradus.kernels")
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg)


def implementations(kernel: str) -> list[str]:
    """Return the implementations that ``kernel`` has, whether or not this machine can run them."""
    return list(_found(kernel))


@cache
def _found(kernel: str) -> tuple[str, ...]:
    # looked up on disk once: a fit of few rows calls thousands of kernels
    return tuple(name for name in IMPLEMENTATIONS if importlib.util.find_spec(f"gradus.kernels.{kernel}.{name}"))


def chosen(kernel: str, device_type: str) -> str:
    """Return the name of the implementation that data on ``device_type`` ("cpu", "cuda", ...) goes to.

    Raises
    ------
    UnavailableError : if an implementation is forced that ``kernel`` does not have, that cannot take this device, or
        whose compiler is not installed
    """
    available = implementations(kernel)
    forced = _forced.get()
    if forced is None:
        if device_type in available and can_compile(device_type):
            return device_type
        return "accelerator" if device_type != "cpu" and "accelerator" in available else "reference"
    if forced not in available:
        raise UnavailableError(
            f"kernel {kernel!r} has no implementation {forced!r}; it has {', '.join(available)}: force one of those"
        )
    if not can_compile(forced):
        raise UnavailableError(f"implementation {forced!r} of kernel {kernel!r} is written in Triton: install 'triton'")
    if forced not in (*ANYWHERE, device_type) and not (forced == "cuda" and is_interpreted()):
        raise UnavailableError(
            f"implementation {forced!r} of kernel {kernel!r} cannot take data on {device_type!r}; "
            "move the data or force 'reference'"
        )
    return forced


@cache
def can_compile(implementation: str) -> bool:
    """Return whether the compiler of an implementation is installed."""
    return implementation != "cuda" or importlib.util.find_spec("triton") is not None


def is_interpreted() -> bool:
    """Return whether Triton's interpreter stands in for a device."""
    return os.environ.get("TRITON_INTERPRET") == "1"


def load(kernel: str, device_type: str) -> Any:
    """Return the module whose functions run ``kernel`` for data on ``device_type``."""
    return _module(kernel, chosen(kernel, device_type))


@cache
def _module(kernel: str, implementation: str) -> Any:
    return importlib.import_module(f"gradus.kernels.{kernel}.{implementation}")


def is_forced() -> bool:
    """Return whether an implementation is forced."""
    return _forced.get() is not None


@contextmanager
def force(implementation: str) -> Iterator[None]:
    """Run every kernel inside this block by the implementation of this name, or raise where there is none."""
    token = _forced.set(implementation)
    try:
        yield
    finally:
        _forced.reset(token)
