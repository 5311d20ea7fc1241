"""What a pooling variant is: how a window's values are folded into one, and how its gradient is shared out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Tap(NamedTuple):
    """One position of a window: its number in row-major order, its weight, and the value of the second input there.

    ``slot`` is the number of the weight: the tap's own, or, where a variant ranks, how many of the window's values come
    before this one.
    """

    number: Any
    weight: Any
    other: Any
    slot: Any


class Window(NamedTuple):
    """What is known of one window when its gradient is shared out.

    Attributes
    ----------
    upstream : the gradient with respect to the window's value
    value : the window's value
    aside : the number that ``finish`` put aside
    winner : the tap that ``finish`` named
    constant : what depends on the window's place only (``Variant.constant``)
    extra : the number given for this window
    state : what the window was folded to before ``finish``, with ``recalls``
    """

    upstream: Any
    value: Any
    aside: Any
    winner: Any
    constant: Any
    extra: Any
    state: Any


class Constant(NamedTuple):
    """Which number of a window's place its functions are given."""

    kind: int


COUNT, COUNT_PADDED, FIRST_TAP = Constant(0), Constant(1), Constant(2)


def unused(*_: Any) -> Any:
    """Stand for a second pass that a variant has not."""
    return 0.0


@dataclass(frozen=True)
class Variant:
    """A pooling variant as functions of registers, which a kernel compiles into its loops over whole rows of windows.

    A register is used as a number would be, but for branches: see ``gradus.kernels.registers``. ``settings`` is a tuple
    of two plain numbers (``Call.settings``) and the first weight; a state is a tuple of as many numbers as it takes.

    Attributes
    ----------
    name : of the operator and of the compiled files
    reference : (values (..., taps), present (..., taps), call) -> Pooled, in torch, its value differentiable; what is
        not ``present`` holds ``padding``
    start : (settings) -> state
    fold : (state, x, tap, settings) -> state
    finish : (state, constant, extra, settings) -> (value, number to put aside, winning tap)
    share : (x, tap, window, settings) -> gradient of x, or, if there are more, a tuple: of x, then with
        ``second_input`` of the second input, then with ``learns`` of the tap's weight
    padding : the value of a position outside the input
    turn, fold_again : a second pass: (state, extra, settings) -> state, then as ``fold``
    reads_input, reads_value, puts_aside, names_winner, reads_extra, second_input, two_passes : what is looked at, so
        that nothing else is stored or moved; for the gradient of weights the input is read in any case
    learns : whether ``share`` gives gradients of weights: where all taps have one, it gets what they add up to
    ranks : whether a tap's weight is that of its rank: the largest value comes first, of equal ones the first, and NaN
        before all
    recalls : whether ``share`` is given what the window was folded to: it is folded once more, which takes less than to
        store numbers and read them
    constant : which number of the window's place ``finish`` and ``share`` are given
    """

    name: str
    reference: Callable[..., Any]
    start: Callable[..., Any]
    fold: Callable[..., Any]
    finish: Callable[..., Any]
    share: Callable[..., Any]
    padding: float = 0.0
    turn: Callable[..., Any] = unused
    fold_again: Callable[..., Any] = unused
    two_passes: bool = False
    reads_input: bool = False
    reads_value: bool = False
    reads_extra: bool = False
    puts_aside: bool = False
    names_winner: bool = False
    second_input: bool = False
    learns: bool = False
    ranks: bool = False
    recalls: bool = False
    constant: Constant = field(default=COUNT)

    @property
    def flags(self) -> dict[str, bool]:
        """What the loops ask of a variant, by the names that they have for it."""
        return {
            "SECOND": self.second_input,
            "TWO_PASSES": self.two_passes,
            "ASIDE": self.puts_aside,
            "WINNER": self.names_winner,
            "EXTRA": self.reads_extra,
            "NEEDS_INPUT": self.reads_input,
            "OF_VALUE": self.reads_value,
            "LEARNS": self.learns,
            "RANKS": self.ranks,
            "RECALLS": self.recalls,
        }
