"""Numbers and names as a person reads them."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MISSING = "\N{EN DASH}"
_SPACE = "\N{NO-BREAK SPACE}"
# Arrays of 1,000 characters must not widen a table; the full text stays in a title attribute.
SHORT_NAME = 40


def count(number: float) -> str:
    """Return a whole number with thousands separated.

    Examples
    --------
    >>> count(70000)
    '70,000'
    """
    return f"{number:,.0f}"


def percent(fraction: float | None, digits: int = 1) -> str:
    """Return a fraction in [0, 1] as per cent; None and NaN (a class without rows) as a dash.

    Examples
    --------
    >>> percent(0.0742)
    '7.4\\xa0%'
    >>> percent(None)
    '–'
    """
    if fraction is None or math.isnan(fraction):
        return _MISSING
    return f"{100 * fraction:.{digits}f}{_SPACE}%"


def interval_digits(low: float, high: float) -> int:
    """Return how many digits of a percentage an interval of fractions justifies: about two of its width.

    Examples
    --------
    >>> interval_digits(0.069, 0.079), interval_digits(0.0011, 0.0018)
    (1, 2)
    """
    width = 100 * (high - low)
    return 1 if width >= 0.2 else 2 if width >= 0.02 else 3


def bounds(figure: Mapping[str, float | None]) -> str:
    """Return the interval of a figure with ``low`` and ``high``, or a dash where it has none.

    Examples
    --------
    >>> bounds({"error": 0.0742, "low": 0.0692, "high": 0.0795})
    '6.9 to 8.0\\xa0%'
    """
    low, high = figure.get("low"), figure.get("high")
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return _MISSING
    digits = interval_digits(low, high)
    return f"{100 * low:.{digits}f} to {100 * high:.{digits}f}{_SPACE}%"


def error(figure: Mapping[str, float | None]) -> str:
    """Return the error of a figure with as many digits as its interval justifies.

    Examples
    --------
    >>> error({"error": 0.0742, "low": 0.0692, "high": 0.0795})
    '7.4\\xa0%'
    """
    low, high = figure.get("low"), figure.get("high")
    known = low is not None and high is not None and not math.isnan(low) and not math.isnan(high)
    return percent(
        figure.get("error"), interval_digits(low, high) if known and low is not None and high is not None else 1
    )


def plain(text: object) -> str:
    """Return ``text`` on one line, without control, direction or unpaired surrogate characters.

    Names come from files and columns that nobody checked: a newline or a right-to-left override must not reach a
    chart, where no markup can contain it. Each such character becomes a space.

    Examples
    --------
    >>> plain("two\\nlines\\u202e")
    'two lines'
    """
    kept = "".join(
        " " if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else character
        for character in str(text)
    )
    return re.sub(r"\s+", " ", kept).strip()


def short(text: object, most: int = SHORT_NAME) -> str:
    """Return ``text`` on one line, cut to ``most`` characters in its middle: paths and numbers differ at the end.

    Examples
    --------
    >>> short("photos/2024/cats/0017.png", 16)
    'photos/202…7.png'
    """
    line = plain(text)
    tail = (most - 1) // 3
    return line if len(line) <= most else line[: most - 1 - tail] + "…" + line[len(line) - tail :]
