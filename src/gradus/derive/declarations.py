"""Types: shapes with named sizes, and the domains that values are drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gradus.core.errors import did_you_mean
from gradus.derive.errors import FormulaError
from gradus.derive.tree import NOWHERE, Span

if TYPE_CHECKING:
    from gradus.derive.cursor import Cursor

Size = str | int
_RANKS: dict[str, int | None] = {"scalar": 0, "vec": 1, "mat": 2, "tensor": None}
SQUARE = frozenset({"symmetric", "spd", "orthogonal", "hollow"})
DOMAINS = {
    "positive": "every entry > 0",
    "nonnegative": "every entry >= 0",
    "simplex": "nonnegative, and sums to 1 over the last axis",
    "joint": "nonnegative, and all entries together sum to 1",
    "symmetric": "equal to its transpose",
    "spd": "symmetric and positive definite",
    "orthogonal": "its transpose is its inverse",
    "hollow": "zero on the diagonal",
    "integer": "whole numbers",
}


@dataclass(frozen=True, slots=True)
class Variable:
    """A declared name: its shape (names or numbers of sizes) and its domains."""

    name: str
    shape: tuple[Size, ...] = ()
    domains: frozenset[str] = frozenset()
    span: Span = field(default=NOWHERE, compare=False)


def read_type(cursor: Cursor) -> tuple[tuple[Size, ...], frozenset[str]]:
    """Read ``mat(K, D) positive``, ``simplex(K)``, ``positive scalar``, ...; return the shape and the domains."""
    start = cursor.token.start
    rank: str | None = None
    sizes: tuple[Size, ...] | None = None
    domains: list[str] = []
    while cursor.token.kind == "name":
        token = cursor.advance()
        word = token.text
        if word in _RANKS and rank is None:
            rank = word
        elif word in DOMAINS and word not in domains:
            domains.append(word)
        elif word in _RANKS or word in DOMAINS:
            raise FormulaError(f"{word!r} does not fit what stands before it", cursor.text, token.start, token.end)
        else:
            advice = did_you_mean(word, (*_RANKS, *DOMAINS))
            sentence = f"there is no type {word!r}{advice}, expected {', '.join(_RANKS)}, {', '.join(DOMAINS)}"
            raise FormulaError(sentence, cursor.text, token.start, token.end)
        if cursor.at("(") and sizes is None:
            sizes, more = _sizes(cursor)
            domains.extend(more)
    if rank is None and not domains:
        raise cursor.unexpected("a type: scalar, vec(D), mat(N, D) or tensor(N, C, H), or a domain")
    try:
        return _shape(rank, sizes, domains), frozenset(domains)
    except ValueError as error:
        raise FormulaError(str(error), cursor.text, start, cursor.last_end) from None


def _sizes(cursor: Cursor) -> tuple[tuple[Size, ...], list[str]]:
    opened = cursor.advance()
    sizes: list[Size] = []
    domains: list[str] = []
    while not cursor.at(")"):
        token = cursor.advance()
        if token.kind == "name" and token.text in DOMAINS:
            domains.append(token.text)
        elif token.kind == "name":
            sizes.append(token.text)
        elif token.kind == "number" and token.text.isdigit() and 0 < int(token.text) <= 10_000:
            sizes.append(int(token.text))
        else:
            sentence = f"the size {token.text or 'here'} is neither a name nor a whole number from 1 to 10,000"
            raise FormulaError(sentence, cursor.text, token.start, max(token.end, token.start + 1))
        if not cursor.take(","):
            break
    cursor.expect(")", "the sizes are not closed", opened)
    return tuple(sizes), domains


def _shape(rank: str | None, sizes: tuple[Size, ...] | None, domains: list[str]) -> tuple[Size, ...]:
    sizes = sizes or ()
    square = next((domain for domain in domains if domain in SQUARE), None)
    if rank is None and square and len(sizes) == 1:
        sizes = (sizes[0], sizes[0])
    expected = _RANKS[rank] if rank else None
    if expected is not None and len(sizes) != expected:
        example = {"scalar": "scalar", "vec": "vec(D)", "mat": "mat(N, D)"}[rank or "scalar"]
        raise ValueError(f"{rank} has {len(sizes)} sizes, expected {expected}: write {example}")
    if rank == "tensor" and not sizes:
        raise ValueError("tensor needs its sizes: write tensor(N, C, H, W)")
    if square and (len(sizes) != 2 or sizes[0] != sizes[1]):
        raise ValueError(f"{square} means a square matrix: write mat(D, D) {square}")
    if {"simplex", "joint"} & set(domains) and not sizes:
        raise ValueError("simplex and joint need an array: write simplex(K)")
    if "spd" in domains and {"positive", "nonnegative", "simplex", "joint", "hollow"} & set(domains):
        raise ValueError("spd cannot be combined with a domain of single entries")
    return sizes
