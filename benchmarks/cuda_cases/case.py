"""One row of the benchmark ``cuda``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Calls:
    """What is timed, its data already on the device.

    Attributes
    ----------
    ours : the call of gradus
    peer : what people call today; None where torch has nothing like it
    traffic : bytes that cannot be avoided, read and written once; 0 where the floor is another
    row : how many calls are queued before the device is waited for, whose mean is one time
    """

    ours: Callable[[], object]
    peer: Callable[[], object] | None
    traffic: float
    row: int = 10


@dataclass(frozen=True)
class Case:
    """A comparison.

    Attributes
    ----------
    name : what is compared, with its size
    peer : what the peer is called
    prepare : makes the data and the calls; its memory is given back before the next case
    promise : how many times faster than the peer ours must be; None where nothing is promised
    within : how many times the floor ours may take at most; None where nothing is promised
    """

    name: str
    peer: str
    prepare: Callable[[], Calls]
    promise: float | None = None
    within: float | None = None
