"""How much is looked at, and from which seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Settings:
    """How a gradient is checked.

    Parameters
    ----------
    reference : a function of the same inputs in float64 that is trusted instead of the function itself, or None
    seed : of the random upstreams and directions; a failure is reproduced by its seed and case
    only : names of the cases to look at, or None for all
    upstreams : how many random upstreams the inputs as given are looked at under, at least 2
    """

    reference: Callable[..., Any] | None = None
    seed: int = 0
    only: tuple[str, ...] | None = None
    upstreams: int = 2
