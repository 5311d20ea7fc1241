"""From what a person types to what is checked: ``package.module:function`` or ``file.py:function``, and its inputs."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from gradus.core.devices import working_device
from gradus.core.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

DTYPES = {"float64": torch.float64, "float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Target:
    """A module and the name of something in it.

    Examples
    --------
    >>> Target.of("torch:sin").get() is torch.sin
    True
    """

    module: ModuleType
    name: str

    @classmethod
    def of(cls, text: str) -> Target:
        """Return the target that ``text`` names, its module imported.

        Raises
        ------
        InputError : if it is not of the form module:name, or there is no such module
        """
        place, colon, name = text.rpartition(":")
        if not colon or not place or not name:
            raise InputError(f"{text!r} names no function: expected module:function or file.py:function")
        return cls(_file(Path(place)) if place.endswith(".py") else _module(place), name)

    def get(self, name: str | None = None) -> Any:
        """Return the object, or the one called ``name`` in the same module; dots reach into it.

        Raises
        ------
        InputError : if there is none
        """
        value: Any = self.module
        for part in (name or self.name).split("."):
            if part not in dir(value):
                known = [other for other in dir(value) if not other.startswith("_")]
                where = getattr(value, "__name__", type(value).__name__)
                raise InputError(f"{where} has no {part!r}{did_you_mean(part, known)}: give a name that it has")
            value = getattr(value, part)
        return value


def random_inputs(shapes: Sequence[str], dtype: str, seed: int) -> tuple[torch.Tensor, ...]:
    """Return a tensor of normal deviates for every shape, written as "3,4" or "" for a number.

    Raises
    ------
    InputError : if a shape or the dtype is none

    Examples
    --------
    >>> [tuple(x.shape) for x in random_inputs(["3,4", "4"], "float32", seed=0)]
    [(3, 4), (4,)]
    """
    if dtype not in DTYPES:
        raise InputError(f"--dtype is {dtype!r}{did_you_mean(dtype, DTYPES)}; expected one of {', '.join(DTYPES)}")
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(_shape(text), generator=generator).to(DTYPES[dtype]) for text in shapes)


def given_inputs(value: Any, name: str) -> tuple[Any, ...]:
    """Return the inputs that an object of the user's module holds or makes.

    Raises
    ------
    InputError : if it is neither a tuple or list of inputs nor a function of nothing that returns one
    """
    value = value() if callable(value) and not isinstance(value, torch.Tensor) else value
    if isinstance(value, torch.Tensor):
        return (value,)
    if not isinstance(value, tuple | list):
        raise InputError(
            f"{name} is a {type(value).__name__}; expected a tuple of inputs, or a function that returns one"
        )
    return tuple(value)


def placed(inputs: Sequence[Any], device: str) -> tuple[Any, ...]:
    """Return the inputs with their tensors on a device; for "cpu", as they are.

    Raises
    ------
    InputError : if torch knows no such device
    UnavailableError : if it is not here
    """
    if device == "cpu":
        return tuple(inputs)
    there = working_device(device)
    return tuple(value.to(there) if isinstance(value, torch.Tensor) else value for value in inputs)


def _shape(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        sizes = (-1,)
    if any(size < 0 for size in sizes):
        raise InputError(f"--shape is {text!r}; expected sizes with commas between them, as in 3,4")
    return sizes


def _module(name: str) -> ModuleType:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise InputError(f"{name} imports {error.name}, which is not installed: install it") from None
        raise InputError(f"there is no module {name!r} here or among what is installed: check its name") from None


def _file(path: Path) -> ModuleType:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file: check the path")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
