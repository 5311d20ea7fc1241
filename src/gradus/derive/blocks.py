"""Formulas inside Markdown: the fenced blocks that are marked ``gradus``."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^\s*(```+|~~~+)\s*(\w*)")


def formula_lines(markdown: str) -> str:
    """Return the lines of the blocks marked ``gradus``; all others become empty, so that line numbers stay.

    Examples
    --------
    >>> formula_lines("Text.\\n```gradus\\nf = x^2\\n```\\n").splitlines()
    ['', '', 'f = x^2', '']
    """
    kept: list[str] = []
    fence = ""
    inside = False
    for line in markdown.splitlines():
        match = _FENCE.match(line)
        if match and (not fence or match[1].startswith(fence)):
            inside = not fence and match[2] == "gradus"
            fence = "" if fence else match[1]
            kept.append("")
        else:
            kept.append(line if inside else "")
    return "".join(f"{line}\n" for line in kept)
