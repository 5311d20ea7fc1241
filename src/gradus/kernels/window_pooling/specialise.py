"""A template bound to one variant becomes one compiled function, kept on disk under a name made of its source.

Numba files a compiled function under its name and the age of its file, and does not see which functions it calls. So
the name here holds a digest of the variant's functions: an edited variant is compiled anew.
"""

from __future__ import annotations

import hashlib
import inspect
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, Any

from gradus.kernels import elementary, register_functions, register_memory, registers
from gradus.kernels.compilation import called_by_compiled, compiled
from gradus.kernels.window_pooling import template
from gradus.kernels.window_pooling.addresses import addresses_of
from gradus.kernels.window_pooling.signatures import pull_signature, reduce_signature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradus.kernels.window_pooling.variant import Variant

_FORWARD = ("start", "fold", "turn", "fold_again", "finish")
_BACKWARD = ("start", "fold", "turn", "fold_again", "share")
# machine code lives as long as its function
_ALIVE: list[Any] = []


@cache
def reduction(variant: Variant, *, double: bool, wide: bool) -> tuple[int, int]:
    """Return where ``template.over_spans`` is that folds windows of float64 or float32, winners in int32 or uint8."""
    return _compiled_at(_bound(template.reduced, variant, _FORWARD), reduce_signature(double, wide))


@cache
def pullback(variant: Variant, *, double: bool, wide: bool) -> tuple[int, int]:
    """Return where ``template.over_spans`` is that shares out gradients, for the same types as ``reduction``."""
    return _compiled_at(_bound(template.pulled, variant, _BACKWARD), pull_signature(double, wide))


def _compiled_at(function: FunctionType, signature: Any) -> tuple[int, int]:
    found = compiled(signature)(function)
    _ALIVE.append(found)
    return addresses_of(found, signature)


def _bound(work: Any, variant: Variant, parts: tuple[str, ...]) -> FunctionType:
    flags = variant.flags
    name = f"{work.__name__}_{variant.name}_{_digest(variant, parts, flags)}"
    known = {**flags, **{part.upper(): _inner(getattr(variant, part)) for part in parts}}
    known["WEIGHT_AT"] = _inner(template.weight_of_rank if variant.ranks else template.weight_of_tap)
    known["ADD_TO"] = _inner(template.add_to_rank if variant.ranks else template.add_to_tap)
    for part in (template.tap_at, template.folded, template.place_at):
        known[part.__name__.upper()] = _inner(copied(part, known))
    return copied(template.over_spans, {"WORK": _inner(copied(work, known))}, name)


def _inner(function: Any) -> Any:
    return called_by_compiled(forceinline=True)(function)


def copied(function: Any, known: Mapping[str, Any], name: str | None = None) -> FunctionType:
    """Return ``function`` under another name, with what is ``known`` instead of its file's names of these."""
    code = function.__code__
    if name is not None:
        code = code.replace(co_name=name, co_qualname=name)
    copy = FunctionType(code, {**function.__globals__, **known}, name)
    copy.__module__ = function.__module__
    return copy


def _digest(variant: Variant, parts: tuple[str, ...], flags: Mapping[str, Any]) -> str:
    sources = [inspect.getsource(getattr(variant, part)) for part in parts]
    sources += [inspect.getsource(module) for module in (elementary, registers, register_functions, register_memory)]
    return hashlib.sha256(repr((sources, sorted(flags.items()))).encode()).hexdigest()[:16]
