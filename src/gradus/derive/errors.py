"""What is wrong with a formula, and where: one sentence and a caret under the place."""

from __future__ import annotations

from gradus.core.errors import GradusError, InputError

WIDEST = 100


class FormulaError(InputError):
    """A formula cannot be read, or does not mean anything; the message ends with the line and a caret.

    Attributes
    ----------
    sentence : what was given, what was expected, what to do
    text : the whole document
    start, end : the offending characters ``text[start:end]``
    """

    def __init__(self, sentence: str, text: str, start: int, end: int) -> None:
        self.sentence = sentence
        self.text = text
        self.start = start
        self.end = end
        super().__init__(_with_caret(sentence, text, start, end))


class RewriteError(GradusError, RuntimeError):
    """A rewrite changed the value of an expression: a fault of gradus, which therefore prints nothing."""


def line_and_column(text: str, start: int) -> tuple[int, int]:
    """Return the line and the column, both counted from 1, of the character ``text[start]``.

    Examples
    --------
    >>> line_and_column("a = 1\\nb = ?", 10)
    (2, 5)
    """
    before = text[:start]
    return before.count("\n") + 1, start - (before.rfind("\n") + 1) + 1


def _with_caret(sentence: str, text: str, start: int, end: int) -> str:
    start = min(start, len(text))
    line, column = line_and_column(text, start)
    begin = start - column + 1
    stop = text.find("\n", start)
    shown = text[begin : len(text) if stop < 0 else stop].replace("\t", " ")
    offset = column - 1
    if offset > WIDEST // 2:
        cut = offset - WIDEST // 2
        shown, offset = "…" + shown[cut + 1 :], offset - cut
    shown = shown if len(shown) <= WIDEST else shown[: WIDEST - 1] + "…"
    carets = "^" * max(1, min(end - start, len(shown) - offset))
    return f"line {line}, column {column}: {sentence}\n  {shown}\n  {' ' * offset}{carets}"
