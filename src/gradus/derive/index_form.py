"""The one intermediate representation: a scalar in index notation, an entry of an array for each value of its indices.

``W @ x`` is ``Sum((j,), W[i,j] * x[j])`` with the free index ``i``. Equality is up to the order of terms and factors
and, because binders name their indices by their height, up to renaming of summed indices. Build expressions with
``gradus.derive.algebra``, which keeps them in normal form; never change one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from fractions import Fraction

    from gradus.derive.declarations import Size


class Index(NamedTuple):
    """A running index; bound ones are called ``~1``, ``~2``, ... by the height of their binder."""

    name: str
    size: Size


Position = Index | int


@dataclass(frozen=True, eq=False, slots=True)
class Expression:
    """Base of every node; ``key`` identifies it, ``free`` are its free indices, ``height`` that of its binders."""

    key: str = field(init=False, repr=False)
    free: frozenset[Index] = field(init=False, repr=False)
    height: int = field(init=False, repr=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        return self.key

    def _settle(self, key: str, free: frozenset[Index], height: int) -> None:
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "free", free)
        object.__setattr__(self, "height", height)


@dataclass(frozen=True, eq=False, slots=True)
class Number(Expression):
    """An exact number."""

    value: Fraction

    def __post_init__(self) -> None:
        self._settle(str(self.value), frozenset(), 0)


@dataclass(frozen=True, eq=False, slots=True)
class Extent(Expression):
    """A size as a number: the D of vec(D)."""

    size: str

    def __post_init__(self) -> None:
        self._settle(f"#{self.size}", frozenset(), 0)


@dataclass(frozen=True, eq=False, slots=True)
class Entry(Expression):
    """One entry of a variable or a definition."""

    array: str
    at: tuple[Position, ...]

    def __post_init__(self) -> None:
        self._settle(f"{self.array}[{_shown(self.at)}]", _indices(self.at), 0)


@dataclass(frozen=True, eq=False, slots=True)
class Mask(Expression):
    """1 where ``left relation right``, else 0; relation is one of ``= != < <=``. ``=`` is Kronecker's delta."""

    relation: str
    left: Position
    right: Position

    def __post_init__(self) -> None:
        sides = (_shown((self.left,), True), _shown((self.right,), True))
        if self.relation in {"=", "!="} and sides[1] < sides[0]:
            sides = (sides[1], sides[0])
        self._settle(f"{{{sides[0]}{self.relation}{sides[1]}}}", _indices((self.left, self.right)), 0)


@dataclass(frozen=True, eq=False, slots=True)
class Add(Expression):
    """A sum of at least two terms."""

    terms: tuple[Expression, ...]

    def __post_init__(self) -> None:
        self._settle(f"({' + '.join(sorted(t.key for t in self.terms))})", *_of(self.terms))


@dataclass(frozen=True, eq=False, slots=True)
class Multiply(Expression):
    """A product of at least two factors, a number first if there is one."""

    factors: tuple[Expression, ...]

    def __post_init__(self) -> None:
        self._settle(" ".join(sorted(f.key for f in self.factors)), *_of(self.factors))


@dataclass(frozen=True, eq=False, slots=True)
class Power(Expression):
    """``base ^ exponent``."""

    base: Expression
    exponent: Expression

    def __post_init__(self) -> None:
        base = f"<{self.base.key}>" if isinstance(self.base, Multiply) else self.base.key
        self._settle(f"{base}^<{self.exponent.key}>", *_of((self.base, self.exponent)))


@dataclass(frozen=True, eq=False, slots=True)
class Function(Expression):
    """A function of numbers; without arguments, a constant such as pi."""

    name: str
    arguments: tuple[Expression, ...]

    def __post_init__(self) -> None:
        self._settle(f"{self.name}({', '.join(a.key for a in self.arguments)})", *_of(self.arguments))


@dataclass(frozen=True, eq=False, slots=True)
class Lambda(Expression):
    """An array: ``body`` for every value of ``indices``, which it binds."""

    indices: tuple[Index, ...]
    body: Expression

    def __post_init__(self) -> None:
        free = self.body.free - set(self.indices)
        self._settle(f"[{_shown(self.indices, True)}: {self.body.key}]", free, _height(self.indices, self.body))


@dataclass(frozen=True, eq=False, slots=True)
class Sum(Expression):
    """``body`` summed over ``indices``, which it binds."""

    indices: tuple[Index, ...]
    body: Expression

    def __post_init__(self) -> None:
        free = self.body.free - set(self.indices)
        self._settle(f"S[{_shown(self.indices, True)}]({self.body.key})", free, _height(self.indices, self.body))


@dataclass(frozen=True, eq=False, slots=True)
class Apply(Expression):
    """The entry ``at`` of a function of whole arrays, such as softmax or inv."""

    name: str
    arguments: tuple[Lambda, ...]
    at: tuple[Position, ...]

    def __post_init__(self) -> None:
        free, height = _of(self.arguments)
        key = f"{self.name}({', '.join(a.key for a in self.arguments)})[{_shown(self.at)}]"
        self._settle(key, free | _indices(self.at), height)


def parts(expression: Expression) -> tuple[Expression, ...]:
    """Return the nodes directly below ``expression``; binders are not opened."""
    match expression:
        case Add(terms=found) | Multiply(factors=found) | Function(arguments=found):
            return found
        case Apply(arguments=arguments):
            return arguments
        case Power(base=base, exponent=exponent):
            return (base, exponent)
        case Sum(body=body) | Lambda(body=body):
            return (body,)
        case _:
            return ()


def arrays(expression: Expression) -> frozenset[str]:
    """Return the names of the variables and definitions in ``expression``."""
    own = {expression.array} if isinstance(expression, Entry) else set()
    return frozenset(own.union(*(arrays(part) for part in parts(expression))))


def contains(expression: Expression, wanted: Callable[[Expression], bool]) -> bool:
    """Tell whether ``expression`` or a node below it is ``wanted``."""
    return wanted(expression) or any(contains(part, wanted) for part in parts(expression))


def _shown(at: Iterable[Position], sized: bool = False) -> str:
    names = (str(p) if isinstance(p, int) else f"{p.name}:{p.size}" if sized else p.name for p in at)
    return ",".join(names)


def _indices(at: Iterable[Position]) -> frozenset[Index]:
    return frozenset(p for p in at if isinstance(p, Index))


def _of(nodes: tuple[Expression, ...]) -> tuple[frozenset[Index], int]:
    free: frozenset[Index] = frozenset().union(*(n.free for n in nodes))
    return free, max((n.height for n in nodes), default=0)


def _height(indices: tuple[Index, ...], body: Expression) -> int:
    return max([body.height, *(int(i.name[1:]) for i in indices if i.name.startswith("~"))])
