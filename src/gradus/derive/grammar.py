"""The grammar of an expression: recursive descent, one method per rule, every refusal with its place.

expression = product (("+" | "-") product)*
product    = ["-"] signed (("*" | "/" | "@" | "·") signed)*
signed     = "-" signed | power
power      = postfix ["^" signed | ".^" signed]
postfix    = atom ("'" | ".'" | ".T" | "[" positions "]" | "_{" positions "}")*
atom       = NUMBER | NAME | NAME "(" expressions ")" | NAME "[" indices "]" "(" expression ")"
           | "(" expression ")" | "‖" expression "‖" | "\\frac{" expression "}{" expression "}"
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from gradus.core.errors import did_you_mean
from gradus.derive.errors import FormulaError
from gradus.derive.functions import CALLABLE, REDUCERS, canonical_name
from gradus.derive.indices import read_indices, read_positions
from gradus.derive.tree import Binary, Call, Name, Negate, Number, Reduce, Span, Subscript, Transpose

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradus.derive.cursor import Cursor
    from gradus.derive.tree import Tree

DEEPEST = 48
LONGEST_CHAIN = 150


class ExpressionParser:
    """Reads expressions from a cursor; ``declared`` are the names that exist, so that they win over functions."""

    def __init__(self, cursor: Cursor, declared: frozenset[str]) -> None:
        self.cursor = cursor
        self.declared = declared

    def expression(self, depth: int = 0) -> Tree:
        """Read one expression; ``depth`` counts the brackets around it."""
        if depth > DEEPEST:
            raise self.cursor.error(f"brackets are nested more than {DEEPEST} deep: define the inner parts by name")
        return self._chain(("+", "-"), self._product, depth)

    def _product(self, depth: int) -> Tree:
        start = self.cursor.token.start
        minus = self._minus()
        tree = self._chain(("*", "/", "@", "·"), self._signed, depth)
        return Negate(tree, Span(start, self.cursor.last_end)) if minus else tree

    def _chain(self, operators: tuple[str, ...], part: Callable[[int], Tree], depth: int) -> Tree:
        start = self.cursor.token.start
        tree, length = part(depth), 1
        while operator := self.cursor.take(*operators):
            length += 1
            if length > LONGEST_CHAIN:
                raise self.cursor.error(f"more than {LONGEST_CHAIN} terms stand in one row: define parts by name")
            tree = Binary(operator, tree, part(depth), Span(start, self.cursor.last_end))
        return tree

    def _signed(self, depth: int) -> Tree:
        start = self.cursor.token.start
        minus = self._minus()
        tree = self._power(depth)
        return Negate(tree, Span(start, self.cursor.last_end)) if minus else tree

    def _minus(self) -> bool:
        """Read a minus in front, if there is one."""
        start = self.cursor.token.start
        found = bool(self.cursor.take("-"))
        if found and self.cursor.at("-"):
            raise FormulaError("two minus signs follow each other: write brackets", self.cursor.text, start, start + 2)
        if self.cursor.at("+"):
            raise self.cursor.error("a `+` has nothing before it: leave it out")
        return found

    def _power(self, depth: int) -> Tree:
        start = self.cursor.token.start
        tree = self._postfix(depth)
        if self.cursor.at("^") and self._transposes():
            self.cursor.skip_exponent()
            return self._postfix_of(Transpose(tree, Span(start, self.cursor.last_end)), start)
        if operator := self.cursor.take("^", ".^"):
            braced = self.cursor.take("{")
            exponent = self.expression(depth + 1) if braced else self._signed(depth + 1)
            if braced:
                self.cursor.expect("}", "the exponent's brace is not closed")
            tree = Binary(operator, tree, exponent, Span(start, self.cursor.last_end))
        return tree

    def _transposes(self) -> bool:
        """Tell whether the exponent is T (or \\top), and T is nothing that was declared."""
        return self.cursor.exponent() == "T" and "T" not in self.declared

    def _postfix(self, depth: int) -> Tree:
        start = self.cursor.token.start
        return self._postfix_of(self._atom(depth), start)

    def _postfix_of(self, tree: Tree, start: int) -> Tree:
        while True:
            if self.cursor.take("'", ".'", ".T"):
                tree = Transpose(tree, Span(start, self.cursor.last_end))
            elif self.cursor.at("["):
                tree = Subscript(tree, read_positions(self.cursor, "[", "]"), Span(start, self.cursor.last_end))
            elif self.cursor.at("_"):
                self.cursor.advance()
                tree = Subscript(tree, read_positions(self.cursor, "{", "}"), Span(start, self.cursor.last_end))
            else:
                break
        self._refuse_juxtaposition()
        return tree

    def _refuse_juxtaposition(self) -> None:
        token = self.cursor.token
        if token.kind in {"name", "number"} or token.text in {"(", "\\frac"}:
            before = self.cursor.last
            advice = "write `*` (entry by entry) or `@` (matrix product) between"
            if token.text == "(" and before.kind == "name":
                raise FormulaError(self._no_function(before.text), self.cursor.text, before.start, before.end)
            raise self.cursor.error(f"{before.text!r} and {token.text!r} stand side by side: {advice}")

    def _no_function(self, name: str) -> str:
        if name in self.declared:
            return f"{name!r} is a variable and is called like a function: write `*` or `@` before the bracket"
        return f"there is no function {name!r}{did_you_mean(name, CALLABLE)}: `*` before the bracket makes a product"

    def _atom(self, depth: int) -> Tree:
        token = self.cursor.token
        if token.kind == "number":
            self.cursor.advance()
            return Number(_exact(token.text, self.cursor), Span(token.start, token.end))
        if token.kind == "name":
            return self._named(depth)
        if self.cursor.take("("):
            tree = self.expression(depth + 1)
            self.cursor.expect(")", "a bracket is not closed", token)
            return tree
        if self.cursor.take("‖"):
            argument = self.expression(depth + 1)
            self.cursor.expect("‖", "a norm is not closed", token)
            return Call("norm", (argument,), Span(token.start, self.cursor.last_end))
        if self.cursor.take("\\frac"):
            above, below = self._group(depth), self._group(depth)
            return Binary("/", above, below, Span(token.start, self.cursor.last_end))
        raise self.cursor.unexpected("a number, a name or a bracket")

    def _group(self, depth: int) -> Tree:
        opened = self.cursor.token
        self.cursor.expect("{", "\\frac needs two groups in braces")
        tree = self.expression(depth + 1)
        self.cursor.expect("}", "a brace is not closed", opened)
        return tree

    def _named(self, depth: int) -> Tree:
        token = self.cursor.advance()
        function = canonical_name(token.text)
        if token.text in self.declared or function is None:
            return Name(token.text, Span(token.start, token.end))
        if function in REDUCERS and (self.cursor.at("[") or self.cursor.at("_")):
            return self._reduction(function, token.start, depth)
        opened = self.cursor.token
        closing = {"(": ")", "{": "}"}.get(opened.text)
        if closing is None or (closing == "}" and self.cursor.text[token.start] != "\\"):
            sentence = f"{token.text!r} is a function: give its argument in brackets, as {function}(x)"
            raise FormulaError(sentence, self.cursor.text, token.start, token.end)
        arguments = self._arguments(closing, depth)
        return Call(function, arguments, Span(token.start, self.cursor.last_end))

    def _arguments(self, closing: str, depth: int) -> tuple[Tree, ...]:
        opened = self.cursor.advance()
        found = [] if self.cursor.at(closing) else [self.expression(depth + 1)]
        while self.cursor.take(","):
            found.append(self.expression(depth + 1))
        self.cursor.expect(closing, "the arguments are not closed", opened)
        return tuple(found)

    def _reduction(self, function: str, start: int, depth: int) -> Tree:
        indices, conditions = read_indices(self.cursor)
        opened = self.cursor.token
        self.cursor.expect("(", f"`{function}[...]` needs what it runs over in brackets, as {function}[i](x[i])")
        body = self.expression(depth + 1)
        self.cursor.expect(")", "a bracket is not closed", opened)
        return Reduce(function, indices, conditions, body, Span(start, self.cursor.last_end))


def _exact(text: str, cursor: Cursor) -> Fraction:
    exponent = text.lower().partition("e")[2]
    if exponent and abs(int(exponent)) > 300:
        raise FormulaError(
            f"the number {text} is out of range: exponents go to 300", cursor.text, cursor.last.start, cursor.last.end
        )
    return Fraction(text.rstrip(".") if text.endswith(".") else text)
