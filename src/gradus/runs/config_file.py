"""A run's settings to and from TOML."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, get_type_hints

import tomli_w

from gradus.core.errors import InputError, did_you_mean
from gradus.runs.config import RunConfig

if TYPE_CHECKING:
    from pathlib import Path


def _without_none(section: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in section.items() if value is not None}
    return {name: _without_none(value) if isinstance(value, dict) else value for name, value in kept.items()}


def to_toml(config: RunConfig) -> str:
    """Return ``config`` as TOML; settings that are None are left out."""
    return tomli_w.dumps(_without_none(asdict(config)))


def from_toml(text: str, origin: Path) -> RunConfig:
    """Return the configuration that ``text``, read from ``origin``, holds.

    Raises
    ------
    InputError : if it is not TOML, or has a setting that gradus does not know, or a value of the wrong type
    """
    try:
        loaded = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{origin} is not valid TOML ({error}): mend it, or use a new --out") from error
    built = _build(RunConfig, loaded, origin)
    assert isinstance(built, RunConfig)
    return built


def _build(kind: type, values: dict[str, Any], origin: Path) -> object:
    hints = get_type_hints(kind)
    known = {item.name for item in fields(kind)}
    for name in values:
        if name not in known:
            raise InputError(
                f"{origin} has an unknown setting {name!r}{did_you_mean(name, known)}: remove or rename it"
            )
    sections = {name: hint for name, hint in hints.items() if isinstance(values.get(name), dict)}
    arguments = dict(values) | {name: _build(hint, values[name], origin) for name, hint in sections.items()}
    try:
        return kind(**arguments)
    except TypeError as error:
        raise InputError(f"{origin} lacks a setting or has one of the wrong type ({error}): mend it") from error
