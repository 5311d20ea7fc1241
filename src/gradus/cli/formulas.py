"""Formulas from the command line: given as text, in files, or on standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENDINGS = {".md", ".txt", ".gradus"}


def read_sources(sources: Sequence[str]) -> str:
    """Return the text of all ``sources``, one after the other.

    Raises
    ------
    InputError : a file is missing, or is no text
    """
    return "\n".join(_read(source) for source in sources)


def _read(source: str) -> str:
    if source == "-":
        return sys.stdin.read()
    path = Path(source)
    if path.suffix not in _ENDINGS or len(source) > 500:
        return source
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(
            f"{source}: there is no such file, expected a formula or the path of a file with one"
        ) from None
    except UnicodeDecodeError:
        raise InputError(f"{source}: the file is no text in UTF-8, expected a formula in plain text") from None
    if path.suffix == ".md":
        from gradus.derive.blocks import formula_lines

        return formula_lines(text)
    return text
