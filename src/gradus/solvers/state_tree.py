"""A state as a tree of plain values, with its tensors beside it, and back."""

from __future__ import annotations

import importlib
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor

from gradus.core.errors import InputError


def to_tree(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Return ``value`` as JSON can hold it; its tensors are put into ``tensors``.

    Values are numbers, texts, None, dtypes, tensors; tuples, lists and dictionaries of these, with numbers or texts for
    keys; and named tuples and dataclasses of these that belong to gradus.

    Raises
    ------
    InputError : if there is anything else
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Tensor):
        return _tensor_to_tree(value, tensors)
    if isinstance(value, torch.dtype):
        return {"dtype": str(value).removeprefix("torch.")}
    if isinstance(value, tuple) and type(value) is tuple:
        return {"tuple": [to_tree(part, tensors) for part in value]}
    if isinstance(value, list):
        return {"list": [to_tree(part, tensors) for part in value]}
    if isinstance(value, dict):
        # pairs, since JSON would make texts of keys that are numbers
        return {"pairs": [[key, to_tree(part, tensors)] for key, part in value.items()]}
    names = _parts_of(type(value))
    if names is None:
        raise InputError(f"a state holds a {type(value).__name__}, which cannot be kept: leave checkpoint out")
    parts = {name: to_tree(getattr(value, name), tensors) for name in names}
    return {"class": f"{type(value).__module__}:{type(value).__qualname__}", "parts": parts}


def from_tree(tree: Any, tensors: dict[str, Tensor]) -> Any:
    """Return the value that ``to_tree`` was given.

    Raises
    ------
    ValueError : if the tree names anything but a tuple or dataclass of gradus
    """
    if not isinstance(tree, dict):
        return tree
    if "tensor" in tree:
        tensor = tensors[tree["tensor"]]
        return tensor.t() if tree["turned"] else tensor
    if "dtype" in tree:
        return getattr(torch, tree["dtype"])
    if "tuple" in tree:
        return tuple(from_tree(part, tensors) for part in tree["tuple"])
    if "list" in tree:
        return [from_tree(part, tensors) for part in tree["list"]]
    if "pairs" in tree:
        return {key: from_tree(part, tensors) for key, part in tree["pairs"]}
    module, _, name = tree["class"].partition(":")
    kind = getattr(importlib.import_module(module), name) if module.startswith("gradus.") else None
    if not isinstance(kind, type) or _parts_of(kind) is None:
        raise ValueError(f"{tree['class']} is no state")
    return kind(**{name: from_tree(part, tensors) for name, part in tree["parts"].items()})


def _tensor_to_tree(value: Tensor, tensors: dict[str, Tensor]) -> dict[str, Any]:
    # how a tensor lies in memory decides the order of sums over it, and so is kept
    turned = value.ndim == 2 and not value.is_contiguous() and value.t().is_contiguous()
    name = str(len(tensors))
    tensors[name] = (value.t() if turned else value).detach().cpu().clone(memory_format=torch.contiguous_format)
    return {"tensor": name, "turned": turned}


def _parts_of(kind: type) -> tuple[str, ...] | None:
    if not kind.__module__.startswith("gradus."):
        return None
    if is_dataclass(kind):
        return tuple(field.name for field in fields(kind) if field.init)
    return getattr(kind, "_fields", None) if issubclass(kind, tuple) else None
