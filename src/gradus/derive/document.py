"""A document: declarations, definitions and claims, one a line or separated by semicolons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gradus.core.errors import did_you_mean
from gradus.derive.cursor import Cursor
from gradus.derive.declarations import Variable, read_type
from gradus.derive.errors import FormulaError
from gradus.derive.functions import CALLABLE
from gradus.derive.grammar import ExpressionParser
from gradus.derive.tree import Binary, Name, Span, Subscript

if TYPE_CHECKING:
    from gradus.derive.tokens import Token
    from gradus.derive.tree import Tree


@dataclass(frozen=True, slots=True)
class DefinitionLine:
    """``name = body`` or ``name[indices] = body``."""

    name: str
    indices: tuple[str, ...]
    body: Tree
    span: Span


Positions = tuple[str | int | None, ...]


class Differential(NamedTuple):
    """``dp[i]/dW[k,j]``: target p, outer (i,), variable W, inner (k, j); indices are None where there are none."""

    target: str
    outer: Positions | None
    variable: str
    inner: Positions | None


@dataclass(frozen=True, slots=True)
class Claim:
    """``claim left = right``.

    Attributes
    ----------
    left, right : the trees of both sides; ``left`` still holds the quotient of differentials
    differential : None where the left side is no derivative
    source : the line as it was written
    """

    left: Tree
    right: Tree
    differential: Differential | None
    source: str
    span: Span


@dataclass
class Document:
    """What was read, in order; ``text`` is the source that spans point into."""

    text: str
    variables: dict[str, Variable] = field(default_factory=dict)
    definitions: dict[str, DefinitionLine] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)

    @property
    def names(self) -> frozenset[str]:
        """The names of variables and definitions."""
        return frozenset(self.variables) | frozenset(self.definitions)

    @property
    def sizes(self) -> frozenset[str]:
        """The names of sizes."""
        return frozenset(s for v in self.variables.values() for s in v.shape if isinstance(s, str))


RESERVED = frozenset({"claim", "pi"})


def read_document(text: str) -> Document:
    """Read ``text`` into a document.

    Raises
    ------
    FormulaError : with a caret, where the text is not in the language

    Examples
    --------
    >>> document = read_document("x: vec(D); f = x.T @ x")
    >>> document.variables["x"].shape, list(document.definitions)
    (('D',), ['f'])
    """
    return _DocumentReader(text).read()


class _DocumentReader:
    def __init__(self, text: str) -> None:
        self.cursor = Cursor(text)
        self.document = Document(text)

    def read(self) -> Document:
        while self.cursor.token.kind != "eof":
            if self.cursor.token.kind == "end":
                self.cursor.advance()
                continue
            self._statement()
            if self.cursor.token.kind not in {"end", "eof"}:
                raise self.cursor.unexpected("the end of the line, or a `;`")
        if not self.document.definitions and not self.document.claims:
            end = len(self.document.text)
            raise FormulaError("there is no formula, expected one such as f = x^2", self.document.text, end, end)
        return self.document

    def _statement(self) -> None:
        token, after = self.cursor.token, self.cursor.peek()
        if token.kind == "name" and token.text == "claim" and after.text not in {"=", ":", ":="}:
            self._claim()
        elif token.kind == "name" and after.text in {":", ","}:
            self._declaration()
        elif token.kind == "name" and (after.text in {"=", ":="} or self._defines_entries()):
            self._definition()
        else:
            body = self._expression()
            if self.cursor.at("="):
                raise FormulaError(
                    "the left side of `=` is not a new name, expected name = ... or name[i, j] = ...: "
                    "an equation to be judged begins with `claim`",
                    self.cursor.text,
                    token.start,
                    self.cursor.last_end,
                )
            name = next(n for n in ("f", "g", "h", "result") if n not in self.document.names)
            self._define(name, (), body, token)

    def _defines_entries(self) -> bool:
        """Tell whether ``name[...]`` here is followed by ``=``."""
        if self.cursor.peek().text != "[":
            return False
        ahead = 2
        while self.cursor.peek(ahead).text not in {"]", ""}:
            ahead += 1
        return self.cursor.peek(ahead + 1).text in {"=", ":="}

    def _declaration(self) -> None:
        tokens = [self._new_name()]
        while self.cursor.take(","):
            tokens.append(self._new_name())
        self.cursor.expect(":", "a declaration needs a colon, as x: vec(D)")
        shape, domains = read_type(self.cursor)
        for token in tokens:
            self._refuse_taken(token)
            span = Span(token.start, token.end)
            self.document.variables[token.text] = Variable(token.text, shape, domains, span)
        clash = next((s for s in shape if isinstance(s, str) and s in self.document.names), None)
        if clash is not None:
            self._clash(clash, tokens[0])

    def _clash(self, name: str, token: Token) -> None:
        sentence = f"{name!r} is a size and a variable: rename one of them"
        raise FormulaError(sentence, self.cursor.text, token.start, self.cursor.last_end)

    def _definition(self) -> None:
        token = self._new_name()
        indices: list[str] = []
        if self.cursor.take("["):
            while not self.cursor.take("]"):
                index = self.cursor.advance()
                if index.kind != "name" or index.text in indices:
                    sentence = "the indices of a definition are different names, as w[i, j] = ..."
                    raise FormulaError(sentence, self.cursor.text, index.start, index.end)
                indices.append(index.text)
                self.cursor.take(",")
        self.cursor.take("=", ":=")
        self._define(token.text, tuple(indices), self._expression(), token)

    def _define(self, name: str, indices: tuple[str, ...], body: Tree, token: Token) -> None:
        if name == token.text:
            self._refuse_taken(token)
        span = Span(token.start, self.cursor.last_end)
        self.document.definitions[name] = DefinitionLine(name, indices, body, span)

    def _claim(self) -> None:
        start = self.cursor.advance().start
        left = self._expression()
        self.cursor.expect("=", "a claim has two sides, as claim dL/dW = ...")
        right = self._expression()
        span = Span(start, self.cursor.last_end)
        source = self.cursor.text[span.start : span.end]
        self.document.claims.append(Claim(left, right, self._differential(left), source, span))

    def _differential(self, left: Tree) -> Differential | None:
        if not (isinstance(left, Binary) and left.operator == "/"):
            return None
        (above, outer), (below, inner) = _indexed(left.left), _indexed(left.right)
        known = self.document.names
        if above[:1] + below[:1] != "dd" or above in known or below in known:
            return None
        for name in (above[1:], below[1:]):
            if name not in known:
                sentence = f"{name!r} of the derivative d{name} is not defined{did_you_mean(name, known)}"
                raise FormulaError(sentence, self.cursor.text, left.span.start, left.span.end)
        return Differential(above[1:], outer, below[1:], inner)

    def _expression(self) -> Tree:
        return ExpressionParser(self.cursor, self.document.names | self.document.sizes).expression()

    def _new_name(self) -> Token:
        if self.cursor.token.kind != "name":
            raise self.cursor.unexpected("a name")
        return self.cursor.advance()

    def _refuse_taken(self, token: Token) -> None:
        name, document = token.text, self.document
        if name in document.names:
            sentence = f"{name!r} is defined twice: choose another name"
        elif name in document.sizes:
            sentence = f"{name!r} is a size already: choose another name"
        elif name in CALLABLE:
            sentence = f"{name!r} is a function of the language: choose another name"
        elif name in RESERVED:
            sentence = f"{name!r} is a word of the language: choose another name"
        else:
            return
        raise FormulaError(sentence, self.cursor.text, token.start, token.end)


def _indexed(tree: Tree) -> tuple[str, Positions | None]:
    """Return a name and its indices; the name is empty where the tree is neither."""
    match tree:
        case Name(name):
            return name, None
        case Subscript(Name(name), positions):
            return name, positions
        case _:
            return "", None
