"""What goes wrong, in words a person can act on.

Every message is one sentence that says what was given, where, what was expected and what to do.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class GradusError(Exception):
    """Base of every error that gradus raises on purpose; its text is the whole message."""


class InputError(GradusError, ValueError):
    """The data, an argument or a file is not what was expected. The command line exits with code 2."""


class UnavailableError(GradusError, RuntimeError):
    """Something that was asked for by name (a device, a kernel) does not exist on this machine."""


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` for the nearest known name, or an empty string.

    Examples
    --------
    >>> did_you_mean("lable", ["label", "image"])
    " (did you mean 'label'?)"
    >>> did_you_mean("zzz", ["label", "image"])
    ''
    """
    close = difflib.get_close_matches(given, list(known), n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""
