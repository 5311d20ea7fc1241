"""One call of a loop: the addresses of its lines, handed to as many threads as it keeps busy."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import torch

from gradus.kernels.window_pooling import entries, team
from gradus.kernels.window_pooling.drivers import flags_of
from gradus.kernels.window_pooling.turning import MANY_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from gradus.kernels.window_pooling.call import Call
    from gradus.kernels.window_pooling.frames import Frame
    from gradus.kernels.window_pooling.variant import Variant

# what one thread works on in roughly as long as another takes to wake
LEAST_NUMBERS = 500_000
PLACES, _SETTINGS = ctypes.c_int64 * entries.SIZE, ctypes.c_double * entries.SETTINGS
_X, _VALUE = 2 * entries.X, 2 * entries.VALUE


class Task:
    """The lines of a call: ``line`` adds one, ``written`` one that is written to; ``run`` does the work.

    ``learn``: whether weights get gradients.
    """

    def __init__(self, frame: Frame, variant: Variant, call: Call, *, learn: bool = False) -> None:
        self._frame = frame
        self._places = list(frame.places)
        self._places[entries.FLAGS] = flags_of(variant, learn=learn)
        self._settings = (*(*call.settings, 0.0, 0.0)[:2], variant.padding)
        self._kept: list[Tensor] = []
        self._past_the_cache: list[tuple[int, int]] = []
        if call.weights is not None:
            self._weights(call.weights.detach().to(frame.dtype).reshape(-1))
        for number, tensor in ((entries.OTHER, call.other), (entries.EXTRA, call.extra)):
            if tensor is not None:
                self.line(number, frame.laid_out(tensor))

    def _weights(self, given: Tensor) -> None:
        # one for each tap
        self.line(entries.WEIGHTS, (given.expand(self._frame.taps) if len(given) == 1 else given).contiguous())

    def line(self, number: int, tensor: Tensor | None) -> None:
        """Name the memory of a line; it is empty where there is no tensor."""
        if tensor is not None:
            self._kept.append(tensor)
            self._places[2 * number : 2 * number + 2] = tensor.data_ptr(), tensor.numel()

    def written(self, number: int, tensor: Tensor | None) -> None:
        """Name the memory of a line that is written to."""
        self.line(number, tensor)
        if tensor is not None and self._frame.kind == "tiles":
            size = tensor.numel() * tensor.element_size()
            if size >= MANY_BYTES:
                shape = self._frame.shape
                self._past_the_cache.append((tensor.data_ptr(), size // (shape[0] * shape[1])))

    def run(self, enter: int, function: tuple[int, int]) -> None:
        """Share the units of work among as many threads as they keep busy.

        Parameters
        ----------
        enter, function : the address of the loop, and the two of the variant's function
        """
        loop = Loop(self._frame, enter, self._settings)
        self._places[entries.FUNCTION : entries.FUNCTION + 2] = function
        loop.run(PLACES(*self._places), self._past_the_cache)


class Loop:
    """A loop over the units of work of a frame, for tasks that differ in what memory they read and write."""

    def __init__(self, frame: Frame, enter: int, settings: tuple[float, ...]) -> None:
        # kept, because compiled code reads them
        self._settings, self._frame = _SETTINGS(*settings), frame
        self._threads = min(torch.get_num_threads(), 1 + frame.size // LEAST_NUMBERS)
        self._stops, self._enter = frame.stops(self._threads), enter
        self._own = ctypes.addressof(self._settings)

    def run(self, places: Any, ranges: Sequence[tuple[int, int]]) -> None:
        """Run a task: its numbers, and the memory whose pages are cleared before, see ``team``."""
        team.run(self._enter, (ctypes.addressof(places), self._own), self._stops, ranges, self._threads)


class Repeated:
    """A call forward of one input and nothing kept, to be made again: only two addresses are then new.

    All else was worked out for a frame, which tells how its inputs are shaped and laid out, and for torch's number of
    threads.
    """

    def __init__(self, frame: Frame, variant: Variant, call: Call, places: tuple[int, tuple[int, int]]) -> None:
        enter, function = places
        task, value = Task(frame, variant, call), frame.empty_output(frame.dtype)
        task.line(entries.X, call.x)
        task.written(entries.VALUE, value)
        task._places[entries.FUNCTION : entries.FUNCTION + 2] = function
        self._frame, self._loop = frame, Loop(frame, enter, task._settings)
        self._places = PLACES(*task._places)
        self._each = [size for _, size in task._past_the_cache]

    def __call__(self, x: Tensor) -> Tensor:
        """Return the values of the windows of ``x``."""
        value = self._frame.empty_output(self._frame.dtype)
        places, address = PLACES.from_buffer_copy(self._places), value.data_ptr()
        places[_X], places[_VALUE] = x.data_ptr(), address
        self._loop.run(places, [(address, size) for size in self._each])
        return value
