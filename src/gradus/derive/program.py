"""A formula in index form: declared variables and, in order, what is defined from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gradus.derive.binding import substitute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradus.derive.declarations import Size, Variable
    from gradus.derive.index_form import Expression, Index, Position
    from gradus.derive.tree import Tree


@dataclass(frozen=True, slots=True)
class Definition:
    """An array: ``body`` for every value of ``axes``.

    Attributes
    ----------
    tree : as it was written, or None where gradus introduced the name
    indices : the names that the person gave the axes, if any
    """

    name: str
    axes: tuple[Index, ...]
    body: Expression
    tree: Tree | None = None
    indices: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[Size, ...]:
        """The sizes of the axes."""
        return tuple(axis.size for axis in self.axes)

    @property
    def automatic(self) -> bool:
        """Whether gradus introduced the name."""
        return self.tree is None

    def entry(self, at: Sequence[Position]) -> Expression:
        """Return the body at the indices ``at``."""
        return substitute(self.body, dict(zip(self.axes, at, strict=True)))


@dataclass(frozen=True, slots=True)
class Program:
    """Variables and definitions, each of which mentions only what comes before it."""

    variables: dict[str, Variable]
    definitions: dict[str, Definition] = field(default_factory=dict)

    def shape(self, name: str) -> tuple[Size, ...]:
        """Return the sizes of the axes of a variable or a definition."""
        return self.variables[name].shape if name in self.variables else self.definitions[name].shape

    def has(self, name: str, *domains: str) -> bool:
        """Tell whether ``name`` is a variable that was declared to be in one of ``domains``."""
        return name in self.variables and not self.variables[name].domains.isdisjoint(domains)

    @property
    def sizes(self) -> tuple[str, ...]:
        """The names of sizes, in the order of their declaration."""
        found = (s for v in self.variables.values() for s in v.shape if isinstance(s, str))
        return tuple(dict.fromkeys(found))

    def with_definitions(self, *more: Definition) -> Program:
        """Return the program with ``more`` at its end."""
        return Program(self.variables, {**self.definitions, **{d.name: d for d in more}})
