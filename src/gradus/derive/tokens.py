"""Cut a document into tokens; Unicode and a strict subset of LaTeX become the same tokens as plain text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.core.errors import did_you_mean
from gradus.derive.errors import FormulaError

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 20_000
GREEK = dict(
    zip(
        [
            "alpha",
            "beta",
            "gamma",
            "delta",
            "epsilon",
            "zeta",
            "eta",
            "theta",
            "iota",
            "kappa",
            "lambda",
            "mu",
            "nu",
            "xi",
            "rho",
            "sigma",
            "tau",
            "phi",
            "chi",
            "psi",
            "omega",
        ],
        "αβγδεζηθικλμνξρστφχψω",
        strict=True,
    )
) | {"pi": "pi", "varepsilon": "ε", "varphi": "φ", "Sigma": "Σ", "Lambda": "Λ", "Omega": "Ω", "Theta": "Θ"}
_COMMANDS = {
    **{command: (("name", name),) for command, name in GREEK.items()},
    **{name: (("name", name),) for name in ("log", "exp", "sin", "cos", "tanh", "det", "max", "min")},
    "ln": (("name", "log"),),
    "sum": (("name", "sum"),),
    "frac": (("operator", "\\frac"),),
    "sqrt": (("name", "sqrt"),),
    "cdot": (("operator", "·"),),
    "odot": (("operator", "*"),),
    "partial": (("operator", "∂"),),
    "top": (("name", "T"),),
    "ne": (("operator", "!="),),
    "neq": (("operator", "!="),),
    "le": (("operator", "<="),),
    "ge": (("operator", ">="),),
    "lVert": (("operator", "‖"),),
    "rVert": (("operator", "‖"),),
    **dict.fromkeys(("left", "right", "quad", ",", ";", "!", " "), ()),
}
_SYMBOLS = {
    "−": (("operator", "-"),),
    "⊙": (("operator", "*"),),
    "·": (("operator", "·"),),
    "≠": (("operator", "!="),),
    "≤": (("operator", "<="),),
    "≥": (("operator", ">="),),
    "ᵀ": (("operator", ".T"),),
    "√": (("name", "sqrt"),),
    "∑": (("name", "sum"),),
    "‖": (("operator", "‖"),),
    "∂": (("operator", "∂"),),
    "∈": (("operator", ":"),),
    "²": (("operator", "^"), ("number", "2")),
    "³": (("operator", "^"), ("number", "3")),
    "⁻¹": (("operator", "^"), ("operator", "-"), ("number", "1")),
}
_PATTERN = re.compile(
    r"""(?P<space>[ \t\r]+|\#[^\n]*|\\\\?[ \t]*\n)
      |(?P<number>(?:\d+\.(?![\^T'])\d*|\.\d+|\d+)(?:[eE][+-]?\d+(?![A-Za-z]))?)
      |(?P<wrapped>\\(?:mathrm|operatorname|mathbf|text)\{(?P<inner>[A-Za-z]+)\})
      |(?P<command>\\(?:[A-Za-z]+|[,;!\ ]))
      |(?P<symbol>⁻¹|[−⊙·≠≤≥ᵀ√∑‖∂∈²³])
      |(?P<name>[^\W\d_](?:(?![ᵀ²³¹])\w)*(?<!_))
      |(?P<operator>\*\*|\.\^|\.T\b|\.'|!=|<=|>=|:=|==|[-+*/@^'()\[\]{},:=<>_|])
      |(?P<end>[\n;])""",
    re.VERBOSE,
)
_ADVICE = {
    "!": "there is no factorial; `!=` needs its `=`",
    "%": "there is no remainder",
    "&": "there are no logical operations",
    "×": "`×` could mean two things, write `*` (entry by entry) or `@` (matrix product)",
    "∘": "write `*` for the product entry by entry",
    "?": "a formula has no place for it",
    "$": "leave out the dollar signs",
    '"': "formulas contain no text",
}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of text: ``kind`` is name, number, operator, end (of a statement) or eof."""

    kind: str
    text: str
    start: int
    end: int


def tokenize(text: str) -> list[Token]:
    """Return the tokens of ``text``, ended by one of kind eof.

    Raises
    ------
    FormulaError : a character that no formula has, an unknown LaTeX command, or more than 20,000 characters

    Examples
    --------
    >>> [token.text for token in tokenize("σ(Wᵀ@x)²")]
    ['σ', '(', 'W', '.T', '@', 'x', ')', '^', '2', '']
    """
    if len(text) > LONGEST:
        sentence = f"the document has {len(text):,} characters, expected at most {LONGEST:,}: split it"
        raise FormulaError(sentence, text, LONGEST, LONGEST + 1)
    found = _with_differentials(list(_scan(text)))
    found.append(Token("eof", "", len(text), len(text)))
    return found


def _with_differentials(tokens: list[Token]) -> list[Token]:
    """Join ``∂`` and the name after it into the name that plain text has: ``dL``."""
    kept: list[Token] = []
    for token in tokens:
        if kept and kept[-1].text == "∂" and token.kind == "name":
            kept[-1] = Token("name", f"d{token.text}", kept[-1].start, token.end)
        else:
            kept.append(token)
    return kept


def _scan(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            raise _unknown_character(text, position)
        yield from _tokens(match, text)
        position = match.end()


def _tokens(match: re.Match[str], text: str) -> Iterator[Token]:
    kind, word, start, end = match.lastgroup or "", match.group(), match.start(), match.end()
    if kind == "inner" or match["wrapped"]:
        yield Token("name", match["inner"], start, end)
    elif kind == "command":
        if word[1:] not in _COMMANDS:
            advice = did_you_mean(word, (f"\\{known}" for known in _COMMANDS))
            sentence = f"the LaTeX command {word} is not in the subset that is understood{advice}"
            raise FormulaError(sentence, text, start, end)
        yield from (Token(kind, word, start, end) for kind, word in _COMMANDS[word[1:]])
    elif kind == "symbol":
        yield from (Token(kind, word, start, end) for kind, word in _SYMBOLS[word])
    elif kind != "space":
        yield Token(kind, "^" if word == "**" else word, start, end)


def _unknown_character(text: str, position: int) -> FormulaError:
    character = text[position]
    advice = _ADVICE.get(character, "a formula has names, numbers and + - * / @ ^ ' ( ) [ ] , : =")
    return FormulaError(f"the character {character!r} has no meaning here: {advice}", text, position, position + 1)
