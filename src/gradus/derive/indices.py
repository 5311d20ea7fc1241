"""What stands between the brackets of ``W[i, 0, :]`` and of ``sum[i!=j](...)``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.derive.errors import FormulaError
from gradus.derive.tree import Condition

if TYPE_CHECKING:
    from gradus.derive.cursor import Cursor

RELATIONS = ("!=", "<", "<=", "=", ">", ">=")


def read_positions(cursor: Cursor, opening: str, closing: str) -> tuple[str | int | None, ...]:
    """Read ``[i, 0, :]``; LaTeX's ``_{ij}`` is two indices, as one-letter names run together."""
    opened = cursor.token
    cursor.expect(opening, "an index needs braces, as x_{i}")
    found: list[str | int | None] = []
    while True:
        found.extend(_position(cursor, letters=opening == "{"))
        if not cursor.take(","):
            break
    if cursor.token.text in {"+", "-", "*", "/"}:
        raise cursor.error("an index is a name, a number or `:`; sums of indices are not understood: use conv2d")
    cursor.expect(closing, "the indices are not closed", opened)
    return tuple(found)


def _position(cursor: Cursor, *, letters: bool) -> list[str | int | None]:
    token = cursor.token
    if cursor.take(":"):
        return [None]
    if token.kind == "number":
        cursor.advance()
        if not token.text.isdigit():
            raise FormulaError(
                f"the index {token.text} is no whole number, counted from 0", cursor.text, token.start, token.end
            )
        return [int(token.text)]
    if token.kind == "name":
        cursor.advance()
        return list(token.text) if letters and token.text.isalpha() and token.text.isascii() else [token.text]
    raise cursor.unexpected("an index: a name, a number or `:`")


def read_indices(cursor: Cursor) -> tuple[tuple[str, ...], tuple[Condition, ...]]:
    """Read ``[i, j!=i]``, or LaTeX's ``_{i \\ne j}``; return the names in order and the conditions between them."""
    closing = "]"
    if cursor.take("_"):
        closing = "}"
        opened = cursor.token
        cursor.expect("{", "the indices of a sum stand in braces, as \\sum_{i}")
    else:
        opened = cursor.advance()
    names: list[str] = []
    conditions: list[Condition] = []
    while True:
        left = _index(cursor)
        names.append(left)
        while relation := cursor.take(*RELATIONS):
            token = cursor.token
            right: str | int = int(cursor.advance().text) if token.text.isdigit() else _index(cursor)
            conditions.append(Condition(left, relation, right))
            if isinstance(right, str):
                names.append(right)
                left = right
        if not cursor.take(","):
            break
    cursor.expect(closing, "the indices are not closed", opened)
    return tuple(dict.fromkeys(names)), tuple(conditions)


def _index(cursor: Cursor) -> str:
    if cursor.token.kind != "name":
        raise cursor.unexpected("the name of an index, as in sum[i!=j](...)")
    return cursor.advance().text
