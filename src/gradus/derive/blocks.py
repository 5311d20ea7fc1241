"""Formulas inside Markdown: the fenced blocks that are marked ``gradus``."""

from __future__ import annotations

import itertools
import re

_FENCE = re.compile(r"^( {0,3})(`{3,}|~{3,})[ \t]*(\S*)[^\n]*$")


def formula_lines(markdown: str) -> str:
    """Return the lines of all blocks marked ``gradus``; all others become empty, so that line numbers stay.

    Examples
    --------
    >>> formula_lines("Text.\\n```gradus\\nf = x^2\\n```\\n").splitlines()
    ['', '', 'f = x^2', '']
    """
    blocks = (block.split("\n") for block in fenced(markdown))
    rows = itertools.zip_longest(*blocks, fillvalue="")
    return "".join(f"{next(filter(None, row), '')}\n" for row in rows)


def fenced(text: str) -> list[str]:
    """Return the contents of blocks fenced as ``gradus``, the rest of the document blank.

    Examples
    --------
    >>> fenced("a note\\n```gradus\\nf = x^2\\n```\\nthe end")
    ['\\n\\nf = x^2\\n\\n']
    """
    lines = text.splitlines()
    blocks: list[str] = []
    fence, wanted, begun = "", False, 0
    for number, line in enumerate(lines):
        found = _FENCE.match(line)
        if not fence and found:
            fence, wanted, begun = found[2], found[3] == "gradus", number + 1
        elif fence and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            if wanted:
                blocks.append("\n".join(lines[k] if begun <= k < number else "" for k in range(len(lines))))
            fence = ""
    return blocks
