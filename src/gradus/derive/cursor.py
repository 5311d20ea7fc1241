"""A place in a list of tokens, and the errors that are told there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.derive.errors import FormulaError
from gradus.derive.tokens import tokenize

if TYPE_CHECKING:
    from gradus.derive.tokens import Token

_CLOSES = {"(": ")", "[": "]", "{": "}"}


class Cursor:
    """Walks over the tokens of ``text``; line breaks inside brackets are no ends."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _without_inner_ends(tokenize(text), text)
        self.position = 0

    @property
    def token(self) -> Token:
        """The token to be read next."""
        return self.tokens[self.position]

    @property
    def last(self) -> Token:
        """The token that was read last."""
        return self.tokens[max(0, self.position - 1)]

    @property
    def last_end(self) -> int:
        """Where the token that was read last ends."""
        return self.last.end

    def peek(self, ahead: int = 1) -> Token:
        """Return a later token without reading."""
        return self.tokens[min(self.position + ahead, len(self.tokens) - 1)]

    def at(self, text: str) -> bool:
        """Tell whether the next token is the operator ``text``."""
        return self.token.kind == "operator" and self.token.text == text

    def advance(self) -> Token:
        """Read one token."""
        token = self.token
        if token.kind != "eof":
            self.position += 1
        return token

    def take(self, *texts: str) -> str:
        """Read the next token if it is one of the operators ``texts``, and return it; else return an empty string."""
        if self.token.kind == "operator" and self.token.text in texts:
            return self.advance().text
        return ""

    def expect(self, text: str, sentence: str, opened: Token | None = None) -> None:
        """Read the operator ``text`` or refuse, with the caret at what was ``opened`` when the text ends early."""
        if self.take(text):
            return
        if opened is not None and self.token.kind in {"eof", "end"}:
            raise FormulaError(f"{sentence}: add `{text}`", self.text, opened.start, opened.end)
        raise self.error(f"{sentence}: found {shown(self.token)}, expected `{text}`")

    def exponent(self) -> str:
        """Return the name that is the whole exponent after ``^``, braced or not, or an empty string."""
        braced = self.peek().text == "{"
        token, after = self.peek(2 if braced else 1), self.peek(3 if braced else 2)
        whole = after.text == "}" if braced else after.text not in {"(", "[", "_", "^"}
        return token.text if token.kind == "name" and whole else ""

    def skip_exponent(self) -> None:
        """Read ``^`` and the one name after it."""
        self.position += 4 if self.peek().text == "{" else 2

    def error(self, sentence: str) -> FormulaError:
        """Return an error at the next token."""
        return FormulaError(sentence, self.text, self.token.start, max(self.token.end, self.token.start + 1))

    def unexpected(self, expected: str) -> FormulaError:
        """Return an error that says what stands here and what was expected."""
        return self.error(f"found {shown(self.token)}, expected {expected}")


def shown(token: Token) -> str:
    """Return how an error names ``token``."""
    if token.kind == "eof":
        return "the end of the text"
    return "the end of the line" if token.kind == "end" else f"`{token.text}`"


def _without_inner_ends(tokens: list[Token], text: str) -> list[Token]:
    kept: list[Token] = []
    opened: list[Token] = []
    for token in tokens:
        if token.kind == "operator" and token.text in _CLOSES:
            opened.append(token)
        elif token.kind == "operator" and token.text in _CLOSES.values():
            if not opened:
                raise FormulaError(f"`{token.text}` closes nothing: leave it out", text, token.start, token.end)
            begun = opened.pop()
            if _CLOSES[begun.text] != token.text:
                sentence = f"`{token.text}` closes `{begun.text}`: write `{_CLOSES[begun.text]}`"
                raise FormulaError(sentence, text, token.start, token.end)
        if token.kind != "end" or not opened or token.text == ";":
            kept.append(token)
    return kept
