"""Opening and closing of binders: fresh names going in, names by height coming out, so that nothing is captured."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from gradus.derive.index_form import Apply, Entry, Expression, Function, Index, Lambda, Mask, Sum

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gradus.derive.index_form import Position

_counter = itertools.count(1)
MOST_ORDERS = 24


def fresh(index: Index) -> Index:
    """Return an index of the same size and a name that nothing else has."""
    return Index(f"|{next(_counter):09d}", index.size)


def substitute(expression: Expression, mapping: Mapping[Index, Position]) -> Expression:
    """Return ``expression`` with its free indices replaced; the result is in normal form."""
    if expression.free.isdisjoint(mapping):
        return expression
    match expression:
        case Entry(array=array, at=at):
            return Entry(array, _moved(at, mapping))
        case Mask(relation=relation, left=left, right=right):
            from gradus.derive.algebra import mask

            return mask(relation, *_moved((left, right), mapping))
        case Lambda():
            inner = {old: new for old, new in mapping.items() if old not in expression.indices}
            return _under(expression, lambda body: substitute(body, inner))
        case Apply(name=name, arguments=arguments, at=at):
            moved = tuple(substitute(argument, mapping) for argument in arguments)
            return Apply(name, moved, _moved(at, mapping))  # type: ignore[arg-type]
        case _:
            return rebuilt(expression, lambda part: substitute(part, mapping))


def rebuilt(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Return ``expression`` with ``change`` applied to the nodes directly below, binders opened with fresh names."""
    from gradus.derive import algebra
    from gradus.derive.index_form import Add, Multiply, Power

    match expression:
        case Add(terms=terms):
            return algebra.add(*map(change, terms))
        case Multiply(factors=factors):
            return algebra.multiply(*map(change, factors))
        case Power(base=base, exponent=exponent):
            return algebra.power(change(base), change(exponent))
        case Function(name=name, arguments=arguments):
            return algebra.function(name, *map(change, arguments))
        case Sum():
            indices, body = opened(expression)
            return algebra.sum_over(indices, change(body))
        case Lambda():
            return _under(expression, change)
        case Apply(name=name, arguments=arguments, at=at):
            return Apply(name, tuple(_under(argument, change) for argument in arguments), at)
        case _:
            return expression


def opened(binder: Sum | Lambda) -> tuple[tuple[Index, ...], Expression]:
    """Return fresh indices and the body of ``binder`` in terms of them."""
    indices = tuple(fresh(index) for index in binder.indices)
    return indices, substitute(binder.body, dict(zip(binder.indices, indices, strict=True)))


def applied(binder: Lambda, at: Sequence[Position]) -> Expression:
    """Return the entry ``at`` of the array ``binder``."""
    return substitute(binder.body, dict(zip(binder.indices, at, strict=True)))


def array_of(indices: Sequence[Index], body: Expression) -> Lambda:
    """Return the array of ``body`` over ``indices``, in this order."""
    named = tuple(Index(f"~{body.height + place + 1}", index.size) for place, index in enumerate(indices))
    return Lambda(named, substitute(body, dict(zip(indices, named, strict=True))))


def closed(indices: Sequence[Index], body: Expression) -> Sum:
    """Return the sum of ``body`` over ``indices``, which it all mentions; their order is made canonical."""
    best: Sum | None = None
    for order in _orders(indices, body):
        named = tuple(Index(f"~{body.height + place + 1}", index.size) for place, index in enumerate(order))
        candidate = Sum(named, substitute(body, dict(zip(order, named, strict=True))))
        if best is None or candidate.key < best.key:
            best = candidate
    assert best is not None
    return best


def _under(binder: Lambda, change: Callable[[Expression], Expression]) -> Lambda:
    indices, body = opened(binder)
    return array_of(indices, change(body))


def _orders(indices: Sequence[Index], body: Expression) -> list[tuple[Index, ...]]:
    """Return the orders to be tried: indices that look different from afar are sorted by how they look."""
    if len(indices) == 1:
        return [tuple(indices)]
    look = {index: _look(index, indices, body) for index in indices}
    groups = [list(group) for _, group in itertools.groupby(sorted(indices, key=look.__getitem__), look.__getitem__)]
    orders = itertools.product(*(itertools.permutations(group) for group in groups))
    return [tuple(itertools.chain(*order)) for order in itertools.islice(orders, MOST_ORDERS)]


def _look(index: Index, indices: Sequence[Index], body: Expression) -> tuple[str, str]:
    masked = {other: Index("?", other.size) for other in indices} | {index: Index("!", index.size)}
    return str(index.size), _renamed_key(body, masked)


def _renamed_key(expression: Expression, mapping: dict[Index, Index]) -> str:
    """Return what ``expression`` looks like with indices renamed, without bringing it into normal form."""
    match expression:
        case Entry(array=array, at=at):
            return Entry(array, _moved(at, mapping)).key
        case Mask(relation=relation, left=left, right=right):
            return Mask(relation, *_moved((left, right), mapping)).key
        case Apply(name=name, arguments=arguments, at=at):
            inner = ",".join(_renamed_key(argument, mapping) for argument in arguments)
            return f"{name}({inner})[{Entry('', _moved(at, mapping)).key}]"
        case _:
            from gradus.derive.index_form import Number, Power, parts

            if isinstance(expression, Number) or not parts(expression):
                return expression.key
            found = [_renamed_key(part, mapping) for part in parts(expression)]
            ordered = isinstance(expression, (Power, Function))
            label = expression.name if isinstance(expression, Function) else type(expression).__name__
            return f"{label}({' '.join(found if ordered else sorted(found))})"


def _moved(at: tuple[Position, ...], mapping: Mapping[Index, Position]) -> tuple[Position, ...]:
    return tuple(mapping.get(p, p) if isinstance(p, Index) else p for p in at)
