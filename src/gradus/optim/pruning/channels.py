"""Which channels of a network stand or fall together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


class Channels:
    """A partition of numbered channels, joined pair by pair, some of which must stay.

    Examples
    --------
    >>> channels = Channels()
    >>> first, second = channels.new(2), channels.new(2)
    >>> channels.tie(first, second)
    >>> channels.keep(first[:1])
    >>> channels.free().tolist()
    [False, True, False, True]
    """

    def __init__(self) -> None:
        self._above: list[int] = []
        self._kept: list[int] = []

    def new(self, count: int) -> Tensor:
        """Return ``count`` numbers, (count,) int64, each a channel alone."""
        first = len(self._above)
        self._above.extend(range(first, first + count))
        return torch.arange(first, first + count)

    def tie(self, ones: Tensor, others: Tensor) -> None:
        """Join each of ``ones`` with the one of ``others`` at its place."""
        for one, other in zip(ones.tolist(), others.tolist(), strict=True):
            self._above[self._top(one)] = self._top(other)

    def keep(self, channels: Tensor) -> None:
        """Have these and all they are joined with stay."""
        self._kept.extend(channels.tolist())

    def free(self) -> Tensor:
        """Return for each channel whether nothing keeps it, (channels,) bool."""
        tops = self.tops()
        held = torch.zeros(len(tops), dtype=torch.bool)
        held[tops[torch.tensor(self._kept, dtype=torch.int64)]] = True
        return ~held[tops]

    def tops(self) -> Tensor:
        """Return the number that stands for each channel's part, (channels,) int64."""
        return torch.tensor([self._top(channel) for channel in range(len(self._above))], dtype=torch.int64)

    def _top(self, channel: int) -> int:
        while self._above[channel] != channel:
            self._above[channel] = self._above[self._above[channel]]
            channel = self._above[channel]
        return channel
