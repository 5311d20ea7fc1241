"""Names from files and tables, made safe to print and to store: valid Unicode, no NUL, still what they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

REPLACEMENT = "\ufffd"
LONGEST_QUOTE = 60


def readable(name: str) -> str:
    r"""Return ``name`` with what cannot be encoded (lone surrogates) and NUL replaced by U+FFFD.

    File names that are not UTF-8 reach Python with surrogates in them; newlines and markup stay, they are text.

    Examples
    --------
    >>> readable("caf\udce9\n<b>") == "caf\ufffd\n<b>"
    True
    """
    if name.isascii() and "\0" not in name:
        return name
    return "".join(REPLACEMENT if letter == "\0" or "\ud800" <= letter <= "\udfff" else letter for letter in name)


def readable_and_distinct(names: Iterable[str]) -> list[str]:
    r"""Return every name made readable, with " (2)", " (3)", ... after those that became equal to an earlier one.

    Examples
    --------
    >>> readable_and_distinct(["a\udcff", "a\udcfe"]) == ["a\ufffd", "a\ufffd (2)"]
    True
    """
    seen: dict[str, int] = {}
    distinct: list[str] = []
    for name in map(readable, names):
        candidate = name
        while candidate in seen:
            seen[name] += 1
            candidate = f"{name} ({seen[name]})"
        seen[candidate] = 1
        distinct.append(candidate)
    return distinct


def quoted(value: object) -> str:
    r"""Return ``value`` in quotes on one line, shortened, fit for the middle of a sentence.

    Examples
    --------
    >>> quoted("two\nlines")
    "'two\\nlines'"
    """
    text = repr(readable(str(value)))
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 4]}...{text[0]}"


def one_line(error: BaseException) -> str:
    r"""Return what another library says went wrong, fit for the middle of a sentence.

    Examples
    --------
    >>> one_line(ValueError("bad\n  magic"))
    'bad magic'
    """
    return " ".join(readable(str(error)).split()) or type(error).__name__


def shown_path(path: object) -> str:
    r"""Return a path as it stands at the head of a sentence: readable, on one line, whole.

    Examples
    --------
    >>> shown_path("two\nlines/<b>.csv")
    'two\\nlines/<b>.csv'
    """
    text = readable(str(path))
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")


def listed(names: Iterable[object], *, most: int = 12) -> str:
    """Return the names in quotes, separated by commas; after ``most`` only how many more there are.

    Examples
    --------
    >>> listed(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    every = list(names)
    shown = ", ".join(quoted(name) for name in every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most} more"


def row_name(row: int) -> str:
    """Return how a sentence names a row: its position, and where the count starts.

    Examples
    --------
    >>> row_name(3)
    'row 3 (counted from 0)'
    """
    return f"row {row} (counted from 0)"
